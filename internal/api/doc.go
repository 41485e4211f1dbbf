// Package api is the HTTP that all API families share: the router and what
// every request passes through, strict JSON, paging, and the types in which
// money, enumerations and free text travel.
//
// A family lives in a package below this one. It brings its routes, its
// credentials, its codec and its error table; see [Family].
//
// # Invariants
//
//   - Every request is logged once, without its body, its query and its secrets.
//   - JSON that two readers could understand differently is refused: duplicate
//     members, members that differ from a known one by letter case only,
//     anything after the document, invalid UTF-8.
//   - A number that means money is read from its text, never through a binary
//     fraction.
package api
