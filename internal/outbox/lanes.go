package outbox

import "sync"

// lanes are what is being worked, each lane by one at a time.
type lanes struct {
	mu      sync.Mutex
	busy    map[string]bool
	running sync.WaitGroup
}

// start runs f for a lane beside everything else, unless one runs already.
func (l *lanes) start(lane string, f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[lane] {
		return false
	}
	if l.busy == nil {
		l.busy = map[string]bool{}
	}
	l.busy[lane] = true
	l.running.Go(func() {
		defer l.release(lane)
		f()
	})
	return true
}

func (l *lanes) release(lane string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.busy, lane)
}
