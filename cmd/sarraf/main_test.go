package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sarraf-platform/sarraf/internal/app"
)

func TestAlone_seesThroughJoinsOfOne(t *testing.T) {
	failed := errors.New("close failed")
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"itself", app.ErrNotWell, true},
		{"joined with nothing", errors.Join(app.ErrNotWell, nil), true},
		{"twice", errors.Join(errors.Join(app.ErrNotWell, nil), nil), true},
		{"joined with more", errors.Join(app.ErrNotWell, failed), false},
		{"wrapped by words", fmt.Errorf("%w: 3 broken", app.ErrNotWell), false},
		{"another", failed, false},
	} {
		if got := alone(c.err) == app.ErrNotWell; got != c.want {
			t.Errorf("%s: got %t", c.name, got)
		}
	}
}
