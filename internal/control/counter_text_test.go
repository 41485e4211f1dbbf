package control

import "testing"

// What is read of the counters of a subject is written as it was.
func FuzzParseCounters(f *testing.F) {
	f.Add("check/DAY/0/Day/Card/TRY 1000 2000 500 2\n")
	f.Add("check/DAY/0/Day/Card/TRY 1000 2000 500 2 DAY=1500 WEEK=1600\ngroup/G/1/Lifetime/Customer/ 0 0 1 1\n")
	f.Add("check/DAY/0 1000\n")
	f.Add("a 1 2 3 4 =5\n")
	f.Fuzz(func(t *testing.T, text string) {
		var rows []*counterRow
		read := func(text string) error {
			rows = nil
			return parseCounters(subjectKey{}, text, func(r *counterRow) { rows = append(rows, r) })
		}
		if read(text) != nil {
			return
		}
		once := counterText(rows)
		if err := read(once); err != nil || counterText(rows) != once {
			t.Errorf("not stable: %v", err)
		}
	})
}

// What is read of a transaction's use is written as it was.
func FuzzParseUsage(f *testing.F) {
	f.Add("check/DAY/0/Day/Card/TRY 1000 2000 500 1 500 1 500 500 3\n")
	f.Add("check/SPAN/0/5Day/Card/TRY 0 2000 500 1 500 1 500 500 5\ncheck/L/0/Lifetime/Card/ 0 0 0 1 0 1 0 0 0\n")
	f.Add("check/DAY/0/Day/Card/EUR 1000 2000 503 1 500 1 500 500 9 3 -2000000\n")
	f.Add("check/DAY/0 1000\n")
	f.Fuzz(func(t *testing.T, text string) {
		var once, again usageRow
		if parseUsage(&once, text) != nil {
			return
		}
		written := usageText(once.all)
		if err := parseUsage(&again, written); err != nil || usageText(again.all) != written {
			t.Errorf("not stable: %v", err)
		}
	})
}
