package control

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/clock"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
)

func decline(code string) AuthorizationCheck {
	c := NewAuthorizationCheck(code)
	c.Name, c.Action, c.Criteria = code, Decline, Criteria{MCCs: []string{"7995"}}
	return c
}

// A regulatory control is the administrator's: others can neither make nor undo
// one, nor tie it to cards or loosen it from them.
func TestAuthorizationChecks_mandatoryOnesAreTheAdministrators(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		clerk := h.main
		clerk.Permissions = access.PermissionsOf(access.IssuingAuthorizationControl, access.IssuingAuthorizationControlManage)
		law := decline("LAW")
		law.IsMandatory = true
		global := Link{Type: LinkGlobal, Priority: LinkPriority, IsActive: true}

		_, _, err := AuthorizationChecks.Create(ctx, h.Service, clerk, law, nil)
		wantFault(t, err, access.CodeForbidden)
		_, links, err := AuthorizationChecks.Create(ctx, h.Service, h.main, law, []Link{global})
		if err != nil {
			t.Fatal(err)
		}
		was := h.version()
		loose := law
		loose.IsMandatory = false
		_, _, err = AuthorizationChecks.Update(ctx, h.Service, clerk, loose, "")
		wantFault(t, err, access.CodeForbidden)
		global.Parent, global.Priority = "LAW", 1
		_, err = AuthorizationChecks.Link(ctx, h.Service, clerk, global)
		wantFault(t, err, access.CodeForbidden)
		wantFault(t, AuthorizationChecks.Unlink(ctx, h.Service, clerk, links[0].ID), access.CodeForbidden)
		wantFault(t, AuthorizationChecks.Delete(ctx, h.Service, clerk, "LAW"), access.CodeForbidden)
		if now := h.version(); now != was {
			t.Errorf("refused changes raised the configuration from %d to %d", was, now)
		}

		// What is not mandatory is the clerk's, and does not become so.
		plain := decline("PLAIN")
		if _, _, err := AuthorizationChecks.Create(ctx, h.Service, clerk, plain, nil); err != nil {
			t.Error(err)
		}
		plain.IsMandatory = true
		_, _, err = AuthorizationChecks.Update(ctx, h.Service, clerk, plain, "")
		wantFault(t, err, access.CodeForbidden)
	})
}

// What a mandatory control looks into is the administrators' like the control,
// also a group that every tenant has and one of its own would take the place of.
func TestNamedList_ofAMandatoryControlIsTheAdministrators(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		ctx := t.Context()
		clerk := h.main
		clerk.Permissions = access.PermissionsOf(access.IssuingAuthorizationControl, access.IssuingAuthorizationControlManage)
		own := NamedList{Code: "BANNED", Name: "Banned", Type: StringValues, Values: []string{"7995"}, IsActive: true}
		free := NamedList{Code: "FREE", Name: "Free", Type: StringValues, Values: []string{"7995"}, IsActive: true}
		for _, l := range []NamedList{own, free} {
			if _, err := h.CreateList(ctx, clerk, l); err != nil {
				t.Fatal(err)
			}
		}
		law := NewAuthorizationCheck("LAW")
		law.Name, law.Action, law.IsMandatory = "Law", Decline, true
		law.Criteria = Criteria{MCCGroups: []string{"BANNED", "GAMBLING"}}
		if _, _, err := AuthorizationChecks.Create(ctx, h.Service, h.main, law, nil); err != nil {
			t.Fatal(err)
		}
		own.Values = nil
		_, err := h.UpdateList(ctx, clerk, own, "")
		wantFault(t, err, access.CodeForbidden)
		_, err = h.CreateList(ctx, clerk, NamedList{Code: "GAMBLING", Name: "None", Type: StringValues, IsActive: true})
		wantFault(t, err, access.CodeForbidden)
		wantFault(t, h.DeleteList(ctx, clerk, "BANNED"), access.CodeForbidden)
		free.Values = nil
		if _, err := h.UpdateList(ctx, clerk, free, ""); err != nil {
			t.Error(err)
		}
	})
}

// What is kept of a control is the control.
func TestAuthorizationCheck_isKeptAsItIs(t *testing.T) {
	at, to := TimeOfDay(79200), TimeOfDay(21600)
	c := AuthorizationCheck{
		Action: RequirePIN, Criteria: Criteria{Countries: []string{"TR"}, MinAmount: "5.50"}, Rule: `"transaction.isMoto"`, ResponseCode: "05",
		Priority: 7, IsMandatory: true, Flows: []string{"StatusCheck"}, Schedule: Schedule{Days: []time.Weekday{time.Sunday}, From: &at, To: &to},
		AlertChannels: []AlertChannel{AlertBySMS}, ReasonText: "because", Mode: Monitor,
	}
	document, err := encodeAuthorization(c)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid([]byte(document)) {
		t.Error("no JSON")
	}
	again, err := decodeAuthorization(document)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("got %+v, %v", again, err)
	}
}

// Whatever value is missing, a criterion of what refuses is met, and one of what
// approves is not.
func TestSelection_whatIsMissingNeverFailsOpen(t *testing.T) {
	yes := true
	for name, c := range map[string]Criteria{
		"mccs": {MCCs: []string{"7995"}}, "mccGroups": {MCCGroups: []string{"GAMBLING"}}, "countries": {Countries: []string{"IR"}},
		"excludeCountries": {ExceptCountries: []string{"TR"}}, "excludeMccs": {ExceptMCCs: []string{"5411"}},
		"merchantIds": {MerchantIDs: []string{"X*"}}, "minAmount": {MinAmount: "100"}, "maxAmount": {MaxAmount: "100"},
		"isContactless": {IsContactless: &yes}, "domains": {Domains: []string{"International"}},
	} {
		s, problems := compile(c, "", rule.Authorization, nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		var nothing rule.Facts
		if _, ok := s.Selects(&nothing, rule.Matched); !ok {
			t.Errorf("%s: a control that refuses lets pass what does not tell", name)
		}
		if _, ok := s.Selects(&nothing, rule.Unmatched); ok {
			t.Errorf("%s: a control that approves approves what does not tell", name)
		}
	}
}

// The span around a moment is the one that minute by minute looking finds.
func TestSchedule_aroundIsWhatClocksShow(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		var s Schedule
		for d := time.Sunday; d <= time.Saturday; d++ {
			if r.IntN(2) == 0 {
				s.Days = append(s.Days, d)
			}
		}
		if r.IntN(3) > 0 {
			from, to := TimeOfDay(r.IntN(24)*3600), TimeOfDay(r.IntN(24)*3600)
			if from == to {
				continue
			}
			s.From, s.To = &from, &to
		}
		at := time.Date(2026, 3, 1+r.IntN(20), r.IntN(24), r.IntN(60), 0, 0, zone)
		from, until := s.around(at, zone)
		holds := !at.Before(from) && (until.IsZero() || at.Before(until))
		if want := s.shows(at.In(zone)); holds != want {
			t.Fatalf("%+v at %s: holds %v, want %v (from %s until %s)", s, at, holds, want, from, until)
		}
		if until.IsZero() {
			continue
		}
		if s.shows(until.In(zone)) || !s.shows(until.Add(-time.Second).In(zone)) || !from.IsZero() && !s.shows(from.In(zone)) {
			t.Fatalf("%+v at %s: from %s until %s is no span of it", s, at, from, until)
		}
	}
}

// Where clocks are put forward or back, a schedule holds whenever they show a time
// of it: what refuses has no hole of an hour. It holds longer only within the time
// that they show twice.
func TestSchedule_hasNoHoleWhereClocksChange(t *testing.T) {
	for name, days := range map[string][2]clock.Date{
		"America/New_York": {{Year: 2026, Month: 3, Day: 8}, {Year: 2026, Month: 11, Day: 1}},
		"Europe/Berlin":    {{Year: 2026, Month: 3, Day: 29}, {Year: 2026, Month: 10, Day: 25}},
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, day := range days {
			for window := range 16 * 16 {
				from, to := TimeOfDay(window/16*900), TimeOfDay(window%16*900) // up to 03:45
				if from == to {
					continue
				}
				s := Schedule{From: &from, To: &to}
				for at := day.In(zone); at.Before(day.AddDays(1).In(zone)); at = at.Add(15 * time.Minute) {
					begins, ends := s.around(at, zone)
					holds, shows := !at.Before(begins) && at.Before(ends), s.shows(at.In(zone))
					if shows && !holds || holds && !shows && i == 0 {
						t.Fatalf("%s: from %s to %s at %s: holds %v, clocks show it %v (%s until %s)", name, from, to, at, holds, shows, begins, ends)
					}
				}
			}
		}
	}
}

// shows is the definition: the day on which a time falls or, before the end of
// what began the day before, that one.
func (s Schedule) shows(at time.Time) bool {
	on := func(d time.Weekday) bool {
		if len(s.Days) == 0 {
			return true
		}
		for _, day := range s.Days {
			if day == d {
				return true
			}
		}
		return false
	}
	clock := TimeOfDay(at.Hour()*3600 + at.Minute()*60 + at.Second())
	today, yesterday := on(at.Weekday()), on((at.Weekday()+6)%7)
	switch {
	case s.From == nil:
		return today
	case *s.From < *s.To:
		return today && clock >= *s.From && clock < *s.To
	}
	return today && clock >= *s.From || yesterday && clock < *s.To
}

func FuzzParseTimeOfDay(f *testing.F) {
	for _, text := range []string{"22:00", "06:00:30", "24:00", "6:00", "", "22:00:00.5", "１２:00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := ParseTimeOfDay(text)
		if err != nil {
			return
		}
		if at < 0 || at >= secondsPerDay {
			t.Fatalf("%q is %d", text, at)
		}
		if again, err := ParseTimeOfDay(at.String()); err != nil || again != at {
			t.Errorf("%q became %s", text, at)
		}
	})
}
