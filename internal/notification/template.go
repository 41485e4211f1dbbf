package notification

import (
	"slices"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/hsm"
	"github.com/sarraf-platform/sarraf/internal/locale"
)

// Text is what a recipient reads of an event. The tenant's own text is the most
// specific of those under the keys event/product/language, event/product,
// event/language and event; without one it is the catalogue's.
func Text(event string, r Recipient, values map[string]string) string {
	params := map[string]any{}
	for k, v := range r.Values {
		params[k] = v
	}
	for k, v := range values {
		params[k] = v
	}
	for _, key := range []string{
		event + "/" + r.ProductCode + "/" + r.Language, event + "/" + r.ProductCode, event + "/" + r.Language, event,
	} {
		if own, found := r.Templates[key]; found && own != "" {
			return locale.Fill(own, params)
		}
	}
	text, _ := locale.Text(r.Language, "notice."+event, params)
	return text
}

// subject is the heading of an e-mail.
func subject(language string) string {
	text, _ := locale.Text(language, "notice.subject", nil)
	return text
}

// CheckTemplate returns what is wrong with a text of a tenant, or "". The text
// of a PIN has its place once, no other text has it.
func CheckTemplate(key, text string) string {
	event, _, _ := strings.Cut(key, "/")
	places := strings.Count(text, hsm.PINPlace)
	switch {
	case !slices.Contains(Events(), event):
		return "must name an event: " + strings.Join(slices.Sorted(slices.Values(Events())), ", ")
	case strings.Count(key, "/") > 2:
		return "must name an event, and after slashes a product and a language"
	case event == PINSent && places != 1:
		return "must have the place " + hsm.PINPlace + " once"
	case event != PINSent && places != 0:
		return "must not have the place " + hsm.PINPlace
	}
	return ""
}
