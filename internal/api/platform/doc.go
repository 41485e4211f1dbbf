// Package platform is our own API: contract/platform.md and
// contract/acquiring-clearing.md over HTTP and JSON.
//
// routes.go is the whole surface on one screen. Each resource is one file with
// its wire structs, decodeX and encodeX, and handlers that call one domain
// method. register.go is what every request passes through: caller,
// permission, strict decoding, idempotency. errors.go maps refusals to status
// and code. The OpenAPI document at /openapi.json is made from the Go types.
//
// # Adding a resource
//
//   - A file of its own, with tenant.go as the example. Members are optional
//     unless tagged required:"true"; the other tags are huma's (minLength,
//     maxLength, enum, minimum, pattern, format, doc).
//   - Money is an [api.Decimal], an enumeration an [api.Enum], text that people
//     type an [api.FreeText]; a list embeds [api.Paging] and answers an
//     [api.Page]. A handler without an answer returns nothing{} (204).
//   - A line in routes.go: method, path, summary (which makes the operation id),
//     permission, and plain, once or noStore. A "once" route runs inside one
//     transaction that its ctx carries; a noStore route does not, so that
//     counters survive a refusal.
//   - A row in errors.go for each new fault code, its domain's Codes in
//     domainCodes, and "fault.<code>" in both catalogues of internal/locale.
//   - A conversation in testdata, written without answers and filled in by
//     SARRAF_GOLDEN=update.
//
// A refusal of a domain carries field names in the caller's words; a handler
// that nests its body differently renames them.
package platform
