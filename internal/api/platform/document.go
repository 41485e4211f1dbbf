package platform

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/sarraf-platform/sarraf/internal/api"
)

// The document page is Scalar's API reference 1.72.1 (MIT), whose one file is
// kept here compressed, so that the page works without a network.
var (
	//go:embed docs/scalar.js.gz
	scalar []byte
	//go:embed docs/index.html
	docsPage []byte
	//go:embed docs/start.js
	docsStart []byte
)

// documentPolicy lets the page load from this server only. Scalar writes style
// elements, so styles may be inline; scripts may not.
const documentPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// mountDocument adds /openapi.json and the page that shows it. It comes after
// all routes, since the document is fixed then.
func (a *API) mountDocument(r chi.Router) {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own, which we never send
	delete(schemas, "ErrorDetail")
	document, err := describe(a.huma.OpenAPI())
	if err != nil {
		panic("platform: OpenAPI document: " + err.Error())
	}
	r.Get("/openapi.json", serve("application/json", document))
	r.Get("/docs", serve("text/html; charset=utf-8", docsPage))
	r.Get("/docs/start.js", serve("text/javascript; charset=utf-8", docsStart))
	r.Get("/docs/scalar.js", serveCompressed("text/javascript; charset=utf-8", scalar))
}

// openToAll is the security of an operation that asks for no token.
var openToAll = []map[string][]string{}

// describe writes the document. The schemas of the checks must stay as huma made
// them, so those of the document are put in their place only while it is
// written.
func describe(document *huma.OpenAPI) ([]byte, error) {
	schemas := document.Components.Schemas.Map()
	defer maps.Copy(schemas, maps.Clone(schemas))
	maps.Copy(schemas, describedSchemas(document))
	for _, path := range document.Paths {
		if path.Get == nil {
			continue
		}
		for _, p := range path.Get.Parameters {
			checked := p.Schema
			defer func() { p.Schema = checked }()
			p.Schema = describeChoices(checked)
		}
	}
	return json.Marshal(document)
}

// describeChoices gives the schema of a parameter the names of its choices:
// those that a client should send, though codes are taken, too, and lists with
// commas.
func describeChoices(s *huma.Schema) *huma.Schema {
	described := *s
	if s.Items != nil {
		described.Items = describeChoices(s.Items)
	}
	if names, ok := s.Extensions[api.ChoiceNames].([]any); ok {
		described.Enum, described.Extensions = names, nil
	}
	return &described
}

// describedSchemas are the document's schemas as its readers need them. What
// requests may leave out may also be null, which api.Check lets pass though
// huma's schemas do not say so. Answers hold all their members, null or not,
// and their lists are never null.
func describedSchemas(document *huma.OpenAPI) map[string]*huma.Schema {
	registry := document.Components.Schemas
	inRequests := requestSchemas(document)
	described := map[string]*huma.Schema{}
	for name, schema := range registry.Map() {
		s := *schema
		s.Properties = maps.Clone(s.Properties)
		if inRequests[name] {
			for member, schema := range s.Properties {
				if !slices.Contains(s.Required, member) {
					s.Properties[member] = orNull(schema)
				}
			}
		} else if s.Type == huma.TypeObject {
			describeAnswer(&s, registry.TypeFromRef(schemaPrefix+name))
		}
		described[name] = &s
	}
	return described
}

// describeAnswer says of s, whose properties are its own, what encoding/json
// makes of its type t. Members that may be null and do not look so are tagged
// nullable:"true".
func describeAnswer(s *huma.Schema, t reflect.Type) {
	s.AdditionalProperties, s.Required = nil, nil
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		schema := s.Properties[name]
		if schema == nil {
			continue
		}
		if !strings.Contains(options, "omit") {
			s.Required = append(s.Required, name)
		}
		isPointer, isNullable := f.Type.Kind() == reflect.Pointer, f.Tag.Get("nullable") == "true"
		switch {
		case isNullable, isPointer && (schema.Ref != "" || schema.Enum != nil), f.Type.Kind() == reflect.Map, schema.OneOf != nil, schema.AnyOf != nil:
			s.Properties[name] = orNull(schema) // no value of an enumeration is null
		case schema.Type == huma.TypeArray:
			list := *schema
			list.Nullable = false
			s.Properties[name] = &list
		}
	}
	slices.Sort(s.Required)
}

// requestSchemas returns the names of all schemas that JSON bodies of requests
// are made of.
func requestSchemas(document *huma.OpenAPI) map[string]bool {
	names := map[string]bool{}
	var visit func(s *huma.Schema)
	visit = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if name, found := strings.CutPrefix(s.Ref, schemaPrefix); found && !names[name] {
			names[name] = true
			visit(document.Components.Schemas.SchemaFromRef(s.Ref))
		}
		for _, member := range s.Properties {
			visit(member)
		}
		visit(s.Items)
		if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
			visit(values)
		}
	}
	for _, path := range document.Paths {
		for _, op := range []*huma.Operation{path.Post, path.Put, path.Patch, path.Delete} {
			if op == nil || op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
				continue
			}
			visit(op.RequestBody.Content["application/json"].Schema)
		}
	}
	return names
}

// orNull is s with null beside.
func orNull(s *huma.Schema) *huma.Schema {
	with, null := *s, &huma.Schema{Type: "null"}
	switch {
	case s.Ref != "":
		with.Ref, with.AnyOf = "", []*huma.Schema{{Ref: s.Ref}, null}
	case s.OneOf != nil:
		with.OneOf = append(slices.Clone(s.OneOf), null)
	case s.AnyOf != nil:
		with.AnyOf = append(slices.Clone(s.AnyOf), null)
	case s.Type != "":
		with.Nullable = true
		if s.Enum != nil {
			with.Enum = append(slices.Clone(s.Enum), nil)
		}
	}
	return &with
}

func serve(contentType string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		api.ExchangeOf(r.Context()).Route = r.URL.Path
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Security-Policy", documentPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(content)
	}
}

// serveCompressed sends gzip to whom takes it, else the plain bytes.
func serveCompressed(contentType string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		api.ExchangeOf(r.Context()).Route = r.URL.Path
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", "public, max-age=86400")
		h.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			_, _ = w.Write(content)
			return
		}
		plain, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			panic("platform: embedded script: " + err.Error())
		}
		_, _ = io.Copy(w, plain) // the client may be gone
	}
}
