package access

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

func TestToken_anyNodeAcceptsIt(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, _ Tenant, who Credentials) {
		other := New(s.DB, seal{}, c)
		if _, err := other.Authenticate(t.Context(), Platform, secret.FromString("x"), Origin{}); codeOf(err) != CodeUnauthenticated {
			t.Fatal(err)
		}
		// The other node has not seen the key yet, which is made only now.
		tokens := mustToken(t, s, grantOf(who))
		if _, err := other.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); err != nil {
			t.Errorf("another node: %v", err)
		}
		back := mustToken(t, other, grantOf(who))
		if _, err := s.Authenticate(t.Context(), Platform, back.Access, Origin{}); err != nil {
			t.Errorf("and back: %v", err)
		}
		ours, err := s.JWKS(t.Context())
		theirs, err2 := other.JWKS(t.Context())
		if err != nil || err2 != nil || !bytes.Equal(ours, theirs) || !strings.Contains(string(ours), `"alg":"ES256"`) {
			t.Errorf("key sets %s and %s, %v %v", ours, theirs, err, err2)
		}
		if strings.Contains(string(ours), `"d"`) {
			t.Error("the key set holds a private key")
		}
	})
}

func TestToken_twoNodesThatStartTogetherBothWork(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, _ Tenant, who Credentials) {
		nodes := []*Service{s, New(s.DB, seal{}, c), New(s.DB, seal{}, c)}
		made := make(chan Tokens)
		for _, n := range nodes {
			go func() {
				tokens, err := n.Token(t.Context(), grantOf(who))
				if err != nil {
					t.Error(err)
				}
				made <- tokens
			}()
		}
		for range nodes {
			tokens := <-made
			c.Advance(reloadPause)
			for i, n := range nodes {
				if _, err := n.Authenticate(t.Context(), Platform, tokens.Access, Origin{}); err != nil {
					t.Errorf("node %d: %v", i, err)
				}
			}
		}
	})
}

func TestSigningKey_privateHalfIsSealedForItsPlace(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, who Credentials) {
		mustToken(t, s, grantOf(who))
		err := s.DB.View(t.Context(), func(tx db.Tx) error {
			keys, err := readSigningKeys(t.Context(), tx)
			if err != nil || len(keys) != 1 {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			if _, err := x509.ParsePKCS8PrivateKey(keys[0].Private); err == nil {
				t.Error("the private key lies there in clear")
			}
			if !bytes.HasPrefix(keys[0].Private, []byte("host|signing_key|1|host|signing_key|private_key|jwk_")) {
				t.Error("the private key is not bound to its row")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAuthenticate_refusesWhatIsNotOurToken(t *testing.T) {
	each(t, func(t *testing.T, s *Service, c *clock.Fake, tenant Tenant, who Credentials) {
		good := string(mustToken(t, s, grantOf(who)).Access.Reveal())
		ours := s.keys.order[0]
		der, err := s.Seal.Open(t.Context(), hostTenant, "signing_key", ours.Private, placeOf(ours.ID))
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, err := x509.MarshalPKIXPublicKey(ours.Public)
		if err != nil {
			t.Fatal(err)
		}
		client := tokenAttempt{client: clientOfTenant{Client: Client{ID: who.ClientID, Tenant: tenant.ID}, Generation: 1}}
		claims := func(change func(map[string]any)) map[string]any {
			m := s.claims(client, ScopeAPI, c.Now())
			change(m)
			return m
		}
		sign := func(alg jose.SignatureAlgorithm, key any, kid, typ string, claims map[string]any) string {
			t.Helper()
			signer, err := jose.NewSigner(
				jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}},
				(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
			if err != nil {
				t.Fatal(err)
			}
			token, err := jwt.Signed(signer).Claims(claims).Serialize()
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		same := func(map[string]any) {}
		kid := ours.ID.String()
		if _, err := s.Authenticate(t.Context(), Platform, secret.FromString(sign(jose.ES256, private, kid, tokenType, claims(same))), Origin{}); err != nil {
			t.Fatalf("the test cannot make a good token: %v", err)
		}
		header, _, _ := strings.Cut(good, ".")
		parts := strings.Split(good, ".")
		none := "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + parts[1] + "."
		for name, token := range map[string]string{
			"empty":                 "",
			"no JWT":                "a.b.c",
			"algorithm none":        none,
			"no signature":          header + "." + parts[1] + ".",
			"changed claims":        header + "." + parts[1][:len(parts[1])-2] + "AA." + parts[2],
			"a stranger's key":      sign(jose.ES256, stranger, kid, tokenType, claims(same)),
			"unknown key id":        sign(jose.ES256, private, "jwk_other", tokenType, claims(same)),
			"HMAC under public key": sign(jose.HS256, public, kid, tokenType, claims(same)),
			"another type":          sign(jose.ES256, private, kid, "JWT", claims(same)),
			"another issuer":        sign(jose.ES256, private, kid, tokenType, claims(func(m map[string]any) { m["iss"] = "else" })),
			"another audience":      sign(jose.ES256, private, kid, tokenType, claims(func(m map[string]any) { m["aud"] = "else" })),
			"no expiry":             sign(jose.ES256, private, kid, tokenType, claims(func(m map[string]any) { delete(m, "exp") })),
			"expired": sign(jose.ES256, private, kid, tokenType, claims(func(m map[string]any) {
				m["exp"] = c.Now().Unix()
			})),
			"not yet": sign(jose.ES256, private, kid, tokenType, claims(func(m map[string]any) {
				m["nbf"] = c.Now().Add(time.Minute).Unix()
			})),
			"unknown client": sign(jose.ES256, private, kid, tokenType, claims(func(m map[string]any) {
				m["client_id"] = "sc_nobody"
			})),
			"no client": sign(jose.ES256, private, kid, tokenType, claims(func(m map[string]any) { delete(m, "client_id") })),
		} {
			if _, err := s.Authenticate(t.Context(), Platform, secret.FromString(token), Origin{}); codeOf(err) != CodeUnauthenticated {
				t.Errorf("%s: %v", name, err)
			}
		}
		var shown map[string]any
		token, err := jwt.ParseSigned(good, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		if err := token.UnsafeClaimsWithoutVerification(&shown); err != nil {
			t.Fatal(err)
		}
		for _, claim := range []string{"iss", "sub", "client_id", "tenantid", "scope", "role", "jti", "iat", "exp"} {
			if shown[claim] == nil {
				text, _ := json.Marshal(shown)
				t.Errorf("claim %s is missing in %s", claim, text)
			}
		}
	})
}

func TestAuthenticate_scopeNarrowsAndRowDecides(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake, _ Tenant, who Credentials) {
		g := grantOf(who)
		g.Scope = IssuingCard + " " + SystemBIN
		tokens := mustToken(t, s, g)
		caller, err := s.Authenticate(t.Context(), Platform, tokens.Access, Origin{})
		if err != nil || !caller.May(IssuingCard) || !caller.May(SystemBIN) || caller.May(SystemTenant) {
			t.Errorf("caller %+v, %v", caller.Permissions, err)
		}
		// A permission that is taken away is gone at the next request.
		err = s.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE api_client SET permissions = $2 WHERE id = $1`, who.ClientID, IssuingCard)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		caller, err = s.Authenticate(t.Context(), Platform, tokens.Access, Origin{})
		if err != nil || !caller.May(IssuingCard) || caller.May(SystemBIN) {
			t.Errorf("after the change: %+v, %v", caller.Permissions, err)
		}
	})
}
