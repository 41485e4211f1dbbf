// Package platform is our own API: contract/platform.md and
// contract/acquiring-clearing.md over HTTP and JSON.
//
// routes.go is the whole surface on one screen. Each resource is one file with
// its wire structs, decodeX and encodeX, and handlers that call one domain
// method. register.go is what every request passes through: caller,
// permission, strict decoding, idempotency. errors.go maps refusals to status
// and code. The OpenAPI document at /openapi.json is made from the Go types.
package platform
