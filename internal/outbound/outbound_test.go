package outbound

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/secret"
)

// The example of the Standard Webhooks specification's reference libraries.
func TestSign_agreesWithStandardWebhooks(t *testing.T) {
	key, ok := ReadSecret(secret.FromString("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	if !ok {
		t.Fatal("the secret was refused")
	}
	h := http.Header{}
	Sign(h, [][]byte{key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got, want := h.Get("webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGuard_knowsTheAddressesThatAreNotPublic(t *testing.T) {
	for _, text := range []string{
		"127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0",
		"0.1.2.3", "100.64.0.1", "100.127.255.255", "192.0.0.170", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
		"203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
		"::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a9fe:a9fe::1",
		"fc00::1", "fd00:ec2::254", "::ffff:0:7f00:1", "4000::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
	} {
		if Guard(netip.MustParseAddr(text)) == nil {
			t.Errorf("%s passes", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"} {
		if err := Guard(netip.MustParseAddr(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if Guard(netip.Addr{}) == nil {
		t.Error("no address passes")
	}
	for address, want := range map[string]bool{
		"8.8.8.8:443": true, "8.8.8.8:8443": true, "8.8.8.8:80": false, "8.8.8.8:5432": false, "10.0.0.1:443": false,
		"[::1]:443": false, "nonsense": false,
	} {
		if got := guardDial(address, Public) == nil; got != want {
			t.Errorf("%s: got %t", address, got)
		}
	}
	if guardDial("127.0.0.1:5432", Loopback) != nil || guardDial("10.0.0.1:443", Loopback) == nil {
		t.Error("loopback opens this machine and nothing else")
	}
	if guardDial("10.0.0.1:5432", Anywhere) != nil {
		t.Error("anywhere is not anywhere")
	}
}

func TestCheckURL_takesPublicHTTPSOnly(t *testing.T) {
	for text, want := range map[string]bool{
		"https://hooks.example.com/a?b=1": true, "https://hooks.example.com:8443": true, "https://8.8.8.8/": true,
		"http://hooks.example.com": false, "https://hooks.example.com:80": false, "https://u:p@hooks.example.com": false,
		"https://hooks.example.com/#a": false, "https://localhost/": false, "https://127.0.0.1/": false, "https://[::1]/": false,
		"https://10.1.2.3": false, "https://intranet/": false, "https://h\u00f6oks.example.com": false, "https:hooks": false, "": false,
		"ftp://hooks.example.com": false, "https://[::ffff:10.0.0.1]/": false, "https://[fe80::1%25eth0]/": false,
	} {
		if got := CheckURL(text, Public) == ""; got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
	if CheckURL("http://127.0.0.1:9999/x", Loopback) != "" || CheckURL("http://10.0.0.1:9999/x", Loopback) == "" {
		t.Error("loopback opens this machine and nothing else")
	}
	if CheckURL("http://10.0.0.1:9999/x", Anywhere) != "" || CheckURL("ftp://10.0.0.1/x", Anywhere) == "" {
		t.Error("anywhere is any host of the web")
	}
}

func TestExcerpt_showsNoCardNumber(t *testing.T) {
	if got := Excerpt("you sent 4111 1111 1111 1111"); strings.Contains(got, "4111") {
		t.Errorf("got %q", got)
	}
	if got := Excerpt(strings.Repeat("x", 300)); len(got) != excerptMax {
		t.Errorf("got %d characters", len(got))
	}
}
