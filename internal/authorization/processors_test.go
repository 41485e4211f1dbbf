package authorization

import (
	"testing"
	"testing/synctest"
	"time"
)

// Who finds no place waits for one and says how long; a panic gives its place back.
func TestProcessors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := make(processors, 1)
		func() {
			defer func() { _ = recover() }()
			p.compute(func() { panic("broken invariant") })
		}()
		leave := make(chan struct{})
		go p.compute(func() { <-leave })
		synctest.Wait()
		var waited time.Duration
		done := false
		go func() { waited = p.compute(func() { done = true }) }()
		synctest.Wait()
		if done {
			t.Fatal("two at one place")
		}
		time.Sleep(time.Millisecond)
		close(leave)
		synctest.Wait()
		if !done || waited != time.Millisecond {
			t.Errorf("it was done: %t, after %v", done, waited)
		}
		if waited := processors(nil).compute(func() { done = false }); done || waited != 0 {
			t.Errorf("without bounds it waited %v", waited)
		}
	})
}
