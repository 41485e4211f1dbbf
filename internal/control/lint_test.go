package control

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sarraf-platform/sarraf/internal/access"
	"github.com/sarraf-platform/sarraf/internal/control/rule"
	"github.com/sarraf-platform/sarraf/internal/db/dbtest"
	"github.com/sarraf-platform/sarraf/internal/money"
	"github.com/sarraf-platform/sarraf/internal/program"
)

// Criteria as a rule answer as the criteria do, whatever is missing: else what is
// found by comparing them would not be so.
func TestCriteria_asARuleAnswersAlike(t *testing.T) {
	pick := func(t *rapid.T, name string, from ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID[string]).Draw(t, name)
	}
	flag := func(t *rapid.T, name string) *bool {
		if rapid.Bool().Draw(t, name+" is asked") {
			return nil
		}
		return new(rapid.Bool().Draw(t, name))
	}
	var lists *rule.Lists
	rapid.Check(t, func(t *rapid.T) {
		c := Criteria{
			TransactionCodes: pick(t, "codes", "Purchase", "CashWithdrawal"), Domains: pick(t, "domains", "Domestic", "International"),
			MCCs: pick(t, "mccs", "5411", "5811-5814"), ExceptMCCs: pick(t, "not mccs", "5812", "5411-5500"), MCCGroups: pick(t, "groups", "GAMBLING", "CASH"),
			MerchantIDs: pick(t, "merchants", "SHOP1", "SH*", "B.*"), Countries: pick(t, "countries", "TR", "IR"), ExceptCountries: pick(t, "not countries", "IR", "DE"),
			IsContactless: flag(t, "contactless"), IsPINVerified: flag(t, "pin"),
		}
		if rapid.Bool().Draw(t, "bounded") {
			c.MinAmount, c.MaxAmount = "10.50", "100"
		}
		var f rule.Facts
		text := func(id rule.FieldID, from ...string) {
			if rapid.Bool().Draw(t, id.String()+" is known") {
				f.SetText(id, rapid.SampledFrom(from).Draw(t, id.String()))
			}
		}
		text(rule.TransactionCode, "Purchase", "CashWithdrawal", "Refund")
		text(rule.TransactionDomain, "Domestic", "International")
		text(rule.TransactionMCC, "5411", "5812", "5814", "5450")
		text(rule.MerchantID, "SHOP1", "SHOP2", "shop1", "B.C", "BXC")
		text(rule.MerchantCountry, "TR", "IR", "DE")
		for _, id := range []rule.FieldID{rule.TransactionIsContactless, rule.SecurityPINVerified} {
			if rapid.Bool().Draw(t, id.String()+" is known") {
				f.SetFlag(id, rapid.Bool().Draw(t, id.String()))
			}
		}
		if rapid.Bool().Draw(t, "groups are known") {
			f.SetList(rule.TransactionMCCGroup, pick(t, "group", "GAMBLING", "CASH", "FOOD"))
		}
		if rapid.Bool().Draw(t, "amount is known") {
			f.SetAmount(rule.TransactionBillingAmount, money.Must(rapid.SampledFrom([]int64{1049, 1050, 10000, 10001}).Draw(t, "amount"), "TRY"))
		}
		s, problems := compile(c, "", rule.Authorization, lists)
		p, ok := c.program(rule.Authorization, lists)
		if len(problems) > 0 || !ok {
			t.Fatal("the criteria are no rule")
		}
		for _, m := range []rule.Missing{rule.TwoValued, rule.Matched, rule.Unmatched} {
			if member, meets := s.meets(&f, m); meets != p.Match(&f, m) {
				t.Fatalf("%s: criteria %v (%s), rule %v", m, meets, member, p.Match(&f, m))
			}
		}
	})
}

// limitOf is a limit of everything.
func limitOf(code string, period Period, max int64) VelocityCheck {
	c := NewVelocityCheck(code)
	amount := money.Must(max, "TRY")
	c.Period, c.Currency, c.Limits.Amount = period, amount.Currency(), &amount
	return c
}

func TestLintLimits_onlyWhatIsReachedBeforeIsFound(t *testing.T) {
	global := Link{Kind: Velocity, Type: LinkGlobal, IsActive: true}
	count := func(c VelocityCheck, n int) VelocityCheck { c.Limits.Count = &n; return c }
	with := func(c VelocityCheck, f func(*VelocityCheck)) VelocityCheck { f(&c); return c }
	day := limitOf("DAY", PerDay, 500_000)
	for name, tt := range map[string]struct {
		all  []VelocityCheck
		want string // code and member, empty for none
	}{
		"one above a day":        {[]VelocityCheck{day, limitOf("ONE", PerTransaction, 1_000_000)}, "ONE maxAmount"},
		"one below a day":        {[]VelocityCheck{day, limitOf("ONE", PerTransaction, 400_000)}, ""},
		"seven days":             {[]VelocityCheck{day, limitOf("WEEK", PerWeek, 3_500_000)}, "WEEK maxAmount"},
		"less than seven days":   {[]VelocityCheck{day, limitOf("WEEK", PerWeek, 3_499_999)}, ""},
		"a month below a day":    {[]VelocityCheck{day, limitOf("MONTH", PerMonth, 400_000)}, "DAY maxAmount"},
		"as many as may be":      {[]VelocityCheck{count(limitOf("SUM", PerDay, 300_000), 3), limitOf("ONE", PerTransaction, 100_000)}, "SUM maxAmount"},
		"one more":               {[]VelocityCheck{count(limitOf("SUM", PerDay, 300_000), 4), limitOf("ONE", PerTransaction, 100_000)}, ""},
		"only alerted":           {[]VelocityCheck{with(day, func(c *VelocityCheck) { c.OnExceed = ExceedAlerts }), limitOf("ONE", PerTransaction, 1_000_000)}, ""},
		"another selection":      {[]VelocityCheck{with(day, func(c *VelocityCheck) { c.Criteria.MCCs = []string{"6011"} }), limitOf("ONE", PerTransaction, 1_000_000)}, ""},
		"a narrower level":       {[]VelocityCheck{with(day, func(c *VelocityCheck) { c.Level = CountCard }), limitOf("WEEK", PerWeek, 3_500_000)}, ""},
		"given back by refunds":  {[]VelocityCheck{with(day, func(c *VelocityCheck) { c.Refunds = RefundsDecrease }), limitOf("WEEK", PerWeek, 3_500_000)}, ""},
		"one of a limit group":   {[]VelocityCheck{with(day, func(c *VelocityCheck) { c.LimitGroup = "G" }), with(limitOf("VIP", PerDay, 900_000), func(c *VelocityCheck) { c.LimitGroup = "G" }), limitOf("ONE", PerTransaction, 1_000_000)}, ""},
		"the same twice is once": {[]VelocityCheck{day, limitOf("TWIN", PerDay, 500_000)}, "DAY maxAmount"},
		"rolling within rolling": {[]VelocityCheck{
			with(limitOf("H6", PerSpan, 900), func(c *VelocityCheck) { c.Span = Span{6, Hours} }), with(limitOf("H24", PerSpan, 800), func(c *VelocityCheck) { c.Span = Span{24, Hours} }),
		}, "H6 maxAmount"},
	} {
		l := &linter{now: time.Unix(1, 0), links: map[Kind]map[string][]Link{Velocity: {}}}
		c := &Compiled[VelocityCheck]{kind: Velocity, head: VelocityChecks.Head, by: map[string]*compiled[VelocityCheck]{}}
		for _, check := range tt.all {
			s, problems := compile(check.Criteria, check.Rule, rule.Velocity, nil)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			c.by[check.Code] = &compiled[VelocityCheck]{check, s}
			l.links[Velocity][check.Code] = []Link{global}
		}
		newLimits(l, c, nil).lint()
		got := ""
		for _, f := range l.found {
			got += f.Code + " " + f.Path
		}
		if got != tt.want {
			t.Errorf("%s: found %q, want %q", name, got, tt.want)
		}
	}
}

func TestLintControls_whatMayStillDecideIsNotFound(t *testing.T) {
	night, morning := TimeOfDay(79200), TimeOfDay(21600)
	later := time.Unix(1000, 0)
	product := Link{Kind: Authorization, Type: LinkProduct, Target: "P", Code: "P", IsActive: true}
	for name, tt := range map[string]struct {
		change func(first *AuthorizationCheck, link *Link)
		found  bool
	}{
		"as it is":            {func(*AuthorizationCheck, *Link) {}, true},
		"only monitored":      {func(c *AuthorizationCheck, _ *Link) { c.Mode = Monitor }, false},
		"only alerts":         {func(c *AuthorizationCheck, _ *Link) { c.Action = Alert }, false},
		"content with a PIN":  {func(c *AuthorizationCheck, _ *Link) { c.Action = RequirePIN }, false},
		"at night":            {func(c *AuthorizationCheck, _ *Link) { c.Schedule = Schedule{From: &night, To: &morning} }, false},
		"of other flows":      {func(c *AuthorizationCheck, _ *Link) { c.Flows = []string{flowFinancial} }, false},
		"for one card":        {func(_ *AuthorizationCheck, l *Link) { l.Type, l.Target = LinkCard, "C" }, false},
		"of the same product": {func(c *AuthorizationCheck, l *Link) { c.IsMandatory, *l = false, product; l.Priority = 1 }, true},
		"asked after it":      {func(c *AuthorizationCheck, _ *Link) { c.IsMandatory = false }, false},
		"until later":         {func(c *AuthorizationCheck, _ *Link) { c.EndsAt = &later }, false},
		"from later on":       {func(_ *AuthorizationCheck, l *Link) { l.StartsAt = &later }, false},
		"of larger amounts":   {func(c *AuthorizationCheck, _ *Link) { c.Criteria.MinAmount = "1" }, false},
		"of other categories": {func(c *AuthorizationCheck, _ *Link) { c.Criteria.MCCs = []string{"7800"} }, false},
		"of more categories":  {func(c *AuthorizationCheck, _ *Link) { c.Criteria.MCCs = []string{"7000-7999"} }, true},
	} {
		first, second := decline("FIRST"), decline("SECOND")
		first.IsMandatory = true
		link := Link{Kind: Authorization, Type: LinkGlobal, IsActive: true}
		tt.change(&first, &link)
		product.Priority = 2
		l := &linter{now: time.Unix(1, 0), links: map[Kind]map[string][]Link{Authorization: {"FIRST": {link}, "SECOND": {product}}}, programs: &program.Configuration{}}
		c := &Compiled[AuthorizationCheck]{kind: Authorization, head: AuthorizationChecks.Head, by: map[string]*compiled[AuthorizationCheck]{}}
		for _, check := range []AuthorizationCheck{first, second} {
			s, problems := compile(check.Criteria, check.Rule, rule.Authorization, nil)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			c.by[check.Code] = &compiled[AuthorizationCheck]{check, s}
		}
		l.lintControls(t.Context(), c)
		found := false
		for _, f := range l.found {
			found = found || f.Code == "SECOND" && f.What == rule.Shadowed
		}
		if found != tt.found {
			t.Errorf("%s: found %v, want %v", name, found, tt.found)
		}
	}
}

// Who may not see velocity controls is told nothing of them, nor how many there
// are.
func TestLint_tellsWhatTheCallerMaySee(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	limit := limitOf("LIMIT", PerDay, 500_000)
	limit.Name = "Limit"
	if _, _, err := VelocityChecks.Create(t.Context(), h.Service, h.main, limit, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := AuthorizationChecks.Create(t.Context(), h.Service, h.main, decline("LAW"), nil); err != nil {
		t.Fatal(err)
	}
	clerk := h.main
	clerk.Permissions = access.PermissionsOf(access.IssuingAuthorizationControl)
	for _, tt := range []struct {
		who  access.Caller
		want []string
	}{{h.main, []string{"LAW", "LIMIT"}}, {clerk, []string{"LAW"}}} {
		got, err := h.Lint(t.Context(), tt.who)
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, f := range got.All {
			codes = append(codes, f.Code)
		}
		if !slices.Equal(codes, tt.want) || got.Checked != len(tt.want) {
			t.Errorf("found of %v, %d checked; want %v", codes, got.Checked, tt.want)
		}
	}
}
