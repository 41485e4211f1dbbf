package issuing

import (
	"strings"
	"testing"
)

// The matrix as the contract prints it (§8.2.2), columns in the order of its
// head; S is only for jobs, A1 is Y with conditions.
const matrixOfContract = `
from\to   Pending Active Inactive Blocked Lost Stolen Fraud Cancelled Damaged Expired Renewed
Pending   .       A1     -        P       Y    Y      P     Y         Y       S       S
Active    -       .      Y        P       Y    Y      P     Y         Y       S       S
Inactive  -       Y      .        P       Y    Y      P     Y         Y       S       S
Blocked   -       P      P        .       Y    Y      P     P         -       S       -
Lost      -       P      -        -       .    Y      P     Y         -       -       -
Stolen    -       -      -        -       -    .      -     -         -       -       -
Fraud     -       -      -        -       -    -      .     -         -       -       -
Cancelled -       -      -        -       -    -      -     .         -       -       -
Damaged   -       -      -        -       -    -      -     -         .       -       -
Expired   -       -      -        -       -    -      -     -         -       .       -
Renewed   -       -      -        -       -    -      -     -         -       -       .
`

func TestMoverTo_isTheMatrixOfTheContract(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(matrixOfContract), "\n")
	columns := strings.Fields(lines[0])[1:]
	if len(columns) != 11 || len(lines) != 12 {
		t.Fatalf("table has %d columns and %d rows, want 11 each", len(columns), len(lines)-1)
	}
	movers := map[string]Mover{"-": ByNobody, ".": ByClient, "Y": ByClient, "A1": ByClient, "P": ByPrivileged, "S": BySystem}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, to := range columns {
			got, want := CardStatus(cells[0]).MoverTo(CardStatus(to)), movers[cells[i+1]]
			if got != want {
				t.Errorf("%s to %s: got mover %d, want %d", cells[0], to, got, want)
			}
		}
	}
}

func TestIsFinal_agreesWithTheContract(t *testing.T) {
	final := map[CardStatus]bool{Stolen: true, Fraud: true, Cancelled: true, Damaged: true, CardExpired: true, CardRenewed: true}
	for _, s := range CardStatuses() {
		if got, want := s.IsFinal(), final[s]; got != want {
			t.Errorf("%s: got final %t, want %t", s, got, want)
		}
	}
}

func TestFits_everyTargetHasAReason(t *testing.T) {
	for _, s := range CardStatuses() {
		possible := false
		for _, from := range CardStatuses() {
			m := from.MoverTo(s)
			possible = possible || from != s && (m == ByClient || m == ByPrivileged)
		}
		n := 0
		for _, r := range StatusReasons() {
			if r.Fits(s) {
				n++
			}
		}
		if possible != (n > 0) {
			t.Errorf("%s: a caller may move there: %t; reasons that fit: %d", s, possible, n)
		}
	}
	for reason, target := range map[StatusReason]CardStatus{LostReported: Lost, StolenReported: Stolen} {
		for _, s := range CardStatuses() {
			if got, want := reason.Fits(s), s == target; got != want {
				t.Errorf("%s for %s: got %t, want %t", reason, s, got, want)
			}
		}
	}
}

func TestIssuanceStatusOf_isTotal(t *testing.T) {
	want := map[CardStatus]IssuanceStatus{
		Pending: IssuancePending, Active: IssuanceActive, Inactive: IssuanceSuspended, Blocked: IssuanceSuspended,
	}
	seen := 0
	for _, s := range CardStatuses() {
		expected, ok := want[s]
		if !ok {
			expected = IssuanceClosed
		}
		if got := IssuanceStatusOf(s); got != expected {
			t.Errorf("%s: got %s, want %s", s, got, expected)
		}
	}
	for _, i := range []IssuanceStatus{IssuancePending, IssuanceActive, IssuanceSuspended, IssuanceClosed} {
		seen += len(i.cardStatuses())
	}
	if seen != len(CardStatuses()) {
		t.Errorf("got %d card statuses over all issuance statuses, want %d", seen, len(CardStatuses()))
	}
}
