package access

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"time"

	"github.com/sarraf-platform/sarraf/internal/audit"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/fault"
	"github.com/sarraf-platform/sarraf/internal/secret"
)

// session is a browser at our pages. Without a customer it is nobody's yet.
type session struct {
	ID         string
	Tenant     TenantID
	CustomerNo string
	Generation int64
	Code       []byte // keyed hash of the one-time password that is asked for
	CodeUntil  time.Time
	CodeTries  int
	IsSignedIn bool
	ExpiresAt  time.Time
}

// SessionState says how far a cardholder's session is.
type SessionState int

// The states of a session.
const (
	Visiting  SessionState = iota // nobody has signed in, or no more
	AskedCode                     // the password was right, the one-time password is waited for
	SignedIn
)

// CardholderSignIn is what a cardholder shows at the page.
type CardholderSignIn struct {
	Session    secret.Value
	CustomerNo string
	Password   secret.Value
	From       Origin
}

// SignInCardholder takes a cardholder's password, and sends a one-time password to
// the one who showed the right one. The session has another secret then, which is
// returned.
//
// An unknown customer, one without a password, a wrong password and a locked
// cardholder are one refusal, and take alike time: so each attempt writes, of the
// session, whatever else there is to write. Attempts are counted before
// anything is compared, right ones too, until somebody has signed in: so nobody
// tries one-time passwords without end, or has them sent.
func (s *Service) SignInCardholder(ctx context.Context, in CardholderSignIn) (secret.Value, error) {
	now := s.Clock.Now()
	var tenant TenantID
	var visited session
	var known credential
	attempts := 0
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		at, found, err := readSession(ctx, tx, in.Session, now)
		if err != nil {
			return fmt.Errorf("read session: %w", err)
		}
		if !found {
			return errSessionEnded
		}
		visited, tenant = at, at.Tenant
		if attempts, err = countCardholder(ctx, tx, tenant, in.CustomerNo, now); err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		if err := touchSession(ctx, tx, at, now); err != nil {
			return fmt.Errorf("touch session: %w", err)
		}
		known, err = readCredential(ctx, tx, tenant, in.CustomerNo)
		return err
	})
	if err != nil {
		return secret.Value{}, err
	}
	right, err := s.passwordFits(ctx, in.Password, known.PasswordHash)
	if err != nil {
		return secret.Value{}, err
	}
	fresh := newToken("")
	refused := false
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		refused = false
		if err := lockCredential(ctx, tx, tenant, in.CustomerNo); err != nil {
			return fmt.Errorf("lock credential: %w", err)
		}
		present, err := readCredential(ctx, tx, tenant, in.CustomerNo)
		if err != nil {
			return fmt.Errorf("read credential: %w", err)
		}
		if !right || known.Generation == 0 || attempts > cardholderTries || present.Generation != known.Generation {
			refused = true
			if err := touchSession(ctx, tx, visited, now); err != nil {
				return fmt.Errorf("touch session: %w", err)
			}
			return s.recordSignIn(ctx, tx, tenant, in.CustomerNo, in.From, known.Generation > 0, attempts)
		}
		at, found, err := readSession(ctx, tx, in.Session, now)
		if err != nil || !found {
			return cmp.Or(err, error(errSessionEnded))
		}
		at.CustomerNo, at.Generation, at.IsSignedIn = in.CustomerNo, known.Generation, false
		may, err := s.askCode(ctx, tx, at, in.From, fresh, now)
		if err != nil || may {
			return err
		}
		refused = true
		return s.recordSignIn(ctx, tx, tenant, in.CustomerNo, in.From, true, attempts)
	})
	switch {
	case err != nil:
		return secret.Value{}, err
	case refused:
		return secret.Value{}, errSignIn
	}
	return fresh, nil
}

// askCode makes a one-time password, has it sent and keeps its keyed hash. It is false,
// and the session as it was, for a customer who may not sign in.
func (s *Service) askCode(ctx context.Context, tx db.Tx, at session, from Origin, fresh secret.Value, now time.Time) (bool, error) {
	t, err := MustTenant(ctx, tx, at.Tenant)
	if err != nil {
		return false, err
	}
	code, err := newCode(t)
	if err != nil {
		return false, err
	}
	if s.Codes != nil {
		may, err := s.Codes.SendSignInCode(ctx, tx, cardholder(t, at.CustomerNo, from), code, clock.RealAt(now))
		if err != nil || !may {
			return false, err
		}
	}
	if at.Code, err = s.indexCode(ctx, at, code); err != nil {
		return false, err
	}
	at.CodeUntil, at.CodeTries = now.Add(codeLife), 0
	if err := advanceSession(ctx, tx, at, fresh, now); err != nil {
		return false, fmt.Errorf("advance session: %w", err)
	}
	return true, nil
}

// newCode draws a one-time password. That of a sandbox is always the same, for those
// who test a client.
func newCode(t Tenant) (secret.Value, error) {
	if t.Environment == Sandbox {
		return secret.FromString("000000"), nil
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return secret.Value{}, fmt.Errorf("draw one-time password: %w", err)
	}
	return secret.FromString(fmt.Sprintf("%06d", n)), nil
}

func (s *Service) indexCode(ctx context.Context, at session, code secret.Value) ([]byte, error) {
	sum, err := s.Seal.Index(ctx, at.Tenant.String(), "cardholder-code", append([]byte(at.ID+"|"), code.Reveal()...))
	if err != nil {
		return nil, fmt.Errorf("index one-time password: %w", err)
	}
	return sum, nil
}

// ConfirmCardholder takes the one-time password, which signs the cardholder in. The
// session has another secret then, which is returned. Three wrong ones, or too much
// time, and the cardholder begins again (errSessionEnded).
func (s *Service) ConfirmCardholder(ctx context.Context, key, code secret.Value, from Origin) (secret.Value, error) {
	now := s.Clock.Now()
	fresh := newToken("")
	var refused *fault.Error
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		refused = nil
		at, found, err := readSession(ctx, tx, key, now)
		if err != nil {
			return fmt.Errorf("read session: %w", err)
		}
		if !found || at.state() != AskedCode {
			return errSessionEnded
		}
		attempts, err := countCardholder(ctx, tx, at.Tenant, at.CustomerNo, now) // and holds the row from here on
		if err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		if at, found, err = readSession(ctx, tx, key, now); err != nil {
			return fmt.Errorf("read session: %w", err)
		}
		if !found || at.state() != AskedCode || !now.Before(at.CodeUntil) {
			refused = errSessionEnded
			return s.recordSignIn(ctx, tx, at.Tenant, at.CustomerNo, from, found, attempts)
		}
		want, err := s.indexCode(ctx, at, code)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(want, at.Code) == 1 && attempts <= cardholderTries {
			return s.enter(ctx, tx, at, from, fresh, now)
		}
		if refused = errSignInCode; at.CodeTries+1 >= codeTries || attempts > cardholderTries {
			refused = errSessionEnded
		}
		if err := failCode(ctx, tx, at, refused == errSessionEnded); err != nil {
			return fmt.Errorf("count one-time password: %w", err)
		}
		return s.recordSignIn(ctx, tx, at.Tenant, at.CustomerNo, from, true, attempts)
	})
	if err != nil {
		return secret.Value{}, err
	}
	if refused != nil {
		return secret.Value{}, refused
	}
	return fresh, nil
}

// enter signs the cardholder of a session in.
func (s *Service) enter(ctx context.Context, tx db.Tx, at session, from Origin, fresh secret.Value, now time.Time) error {
	t, err := MustTenant(ctx, tx, at.Tenant)
	if err != nil {
		return err
	}
	at.Code, at.CodeUntil, at.IsSignedIn, at.ExpiresAt = nil, time.Time{}, true, now.Add(sessionLife)
	if err := advanceSession(ctx, tx, at, fresh, now); err != nil {
		return fmt.Errorf("advance session: %w", err)
	}
	if err := forgetCardholder(ctx, tx, at.Tenant, at.CustomerNo); err != nil {
		return fmt.Errorf("forget failures: %w", err)
	}
	return audit.Append(ctx, tx, cardholderAct(cardholder(t, at.CustomerNo, from), clock.RealAt(now), "CardholderSignIn", at.CustomerNo))
}

// recordSignIn writes down that somebody could not sign in as a cardholder. Of a
// locked one, and of one whom nobody knows, nothing is written: strangers must not
// fill the chain.
func (s *Service) recordSignIn(ctx context.Context, tx db.Tx, tenant TenantID, customerNo string, from Origin, known bool, attempts int) error {
	if !known || attempts > cardholderTries {
		return nil
	}
	t, err := MustTenant(ctx, tx, tenant)
	if err != nil {
		return err
	}
	a := cardholderAct(cardholder(t, customerNo, from), clock.RealNow(s.Clock), "CardholderSignIn", customerNo)
	a.Result, a.ErrorCode = audit.Failure, string(CodeSignIn)
	if err := audit.Append(ctx, tx, a); err != nil || attempts < cardholderTries {
		return err
	}
	a.Action, a.Result, a.ErrorCode = "CardholderLock", audit.Success, ""
	return audit.Append(ctx, tx, a)
}

// state is how far a session is that is still alive.
func (k session) state() SessionState {
	switch {
	case k.IsSignedIn:
		return SignedIn
	case k.CustomerNo != "" && len(k.Code) > 0:
		return AskedCode
	}
	return Visiting
}

// SessionOf says how far a session is, and of which tenant. One that has ended, or
// never was, is [Visiting] nobody's.
func (s *Service) SessionOf(ctx context.Context, key secret.Value) (state SessionState, tenantName string, err error) {
	now := s.Clock.Now()
	err = s.DB.View(ctx, func(tx db.Tx) error {
		at, found, err := readSession(ctx, tx, key, now)
		if state, tenantName = at.state(), ""; err != nil || !found {
			return err
		}
		t, err := MustTenant(ctx, tx, at.Tenant)
		tenantName = t.Name
		return err
	})
	return state, tenantName, err
}

// VisitBank begins a session at the pages of a tenant, for somebody whom no client has
// sent. There must be a tenant of this code (errSessionEnded).
func (s *Service) VisitBank(ctx context.Context, code string) (secret.Value, error) {
	now := s.Clock.Now()
	fresh := newToken("")
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		t, found, err := FindTenantByCode(ctx, tx, code)
		if err != nil {
			return fmt.Errorf("read tenant: %w", err)
		}
		if !found || !t.IsActive {
			return errSessionEnded
		}
		return insertSession(ctx, tx, session{ID: random(16), Tenant: t.ID, ExpiresAt: now.Add(sessionLife)}, fresh, now)
	})
	return fresh, err
}

// SignOutCardholder ends a session.
func (s *Service) SignOutCardholder(ctx context.Context, key secret.Value) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error { return endSession(ctx, tx, key) })
}

// signedIn returns the live session of a cardholder, whose time begins anew, and its
// tenant.
func (s *Service) signedIn(ctx context.Context, tx db.Tx, key secret.Value, now time.Time) (session, Tenant, error) {
	at, found, err := readSession(ctx, tx, key, now)
	if err != nil {
		return at, Tenant{}, fmt.Errorf("read session: %w", err)
	}
	if !found || at.state() != SignedIn {
		return at, Tenant{}, errSessionEnded
	}
	if err := touchSession(ctx, tx, at, now); err != nil {
		return at, Tenant{}, fmt.Errorf("touch session: %w", err)
	}
	t, err := MustTenant(ctx, tx, at.Tenant)
	if err == nil && !t.IsActive {
		err = errSessionEnded
	}
	return at, t, err
}
