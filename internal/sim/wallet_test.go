package sim

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/secret"
)

// Who may not sign in is told what the answer said.
func TestSignInWallets_tellsTheRefusal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
	}))
	defer server.Close()
	_, err := SignInWallets(t.Context(), server.URL, "ID", secret.FromString("wrong"))
	if want := "no token of wallets: answered 400 invalid_client"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
