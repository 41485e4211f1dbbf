package access

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/id"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// UserID identifies a user.
type UserID = id.ID[User]

// User is a person who signs in through a client of its tenant. What it may do
// is what its roles permit and the client may, too.
type User struct {
	ID        UserID
	Tenant    TenantID
	Name      string // unique in the tenant: small letters, digits and ._@+-
	Roles     []string
	IsActive  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// IDPrefix is "usr".
func (User) IDPrefix() string { return "usr" }

// Role is a set of permissions under a name.
type Role struct {
	Code        string // capitals, digits, '_' and '-'
	Permissions Permissions
	UpdatedAt   time.Time
}

// foldName is how a user's name is kept: letter case does not matter.
func foldName(name string) string { return strings.ToLower(name) }

// validName takes 3 to 64 ASCII letters, digits and ._@+-.
func validName(name string) bool {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._@+-", r)) {
			return false
		}
	}
	return len(name) >= 3 && len(name) <= 64
}

func validRoleCode(code string) bool {
	for _, r := range code {
		if !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return false
		}
	}
	return len(code) >= 1 && len(code) <= 32
}

// The length of a password in characters.
const (
	passwordMin = 12
	passwordMax = 128
)

// checkPassword refuses a password that is too easily guessed: it has 12 to
// 128 characters, letters and digits among them, is not made of few different
// ones, and does not hold the user's name.
func checkPassword(name string, password secret.Value) error {
	text := string(password.Reveal())
	different := map[rune]bool{}
	letters, digits := false, false
	for _, r := range text {
		different[r] = true
		letters, digits = letters || unicode.IsLetter(r), digits || unicode.IsDigit(r)
	}
	n := utf8.RuneCountInString(text)
	if utf8.ValidString(text) && n >= passwordMin && n <= passwordMax && letters && digits && len(different) >= 6 &&
		!strings.Contains(strings.ToLower(text), name) {
		return nil
	}
	return fault.New(fault.Invalid, CodeInvalid, "the password will not do").OnField("password", "weak",
		"must have 12 to 128 characters, letters and digits, six different ones, and not the user's name")
}

// permissionsOf is what the roles that are named permit together.
func permissionsOf(roles []Role, named []string) Permissions {
	var names []string
	for _, r := range roles {
		if !slices.Contains(named, r.Code) {
			continue
		}
		if r.Permissions.all {
			return EveryPermission()
		}
		names = append(names, r.Permissions.Names()...)
	}
	return PermissionsOf(names...)
}

// shown is what the audit record compares of a user; its name is personal and
// stands nowhere in it.
func (u User) shown() any {
	return struct {
		Roles    string
		IsActive bool
	}{strings.Join(u.Roles, " "), u.IsActive}
}
