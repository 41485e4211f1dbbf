package iso8583_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/sarraf-platform/sarraf/internal/wire/iso8583"
)

func frames(t testing.TB, f iso8583.Framing, bodies ...string) []byte {
	t.Helper()
	var out []byte
	for _, b := range bodies {
		var err error
		if out, err = f.Append(out, []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestFraming_writesLengthsThatCountTheBodyOnly(t *testing.T) {
	if got, want := string(frames(t, iso8583.Len2BE, "abc", "")), "\x00\x03abc\x00\x00"; got != want {
		t.Errorf("len2be: got %q, want %q", got, want)
	}
	if got, want := string(frames(t, iso8583.Len4ASCII, "abc", "")), "0003abc0000"; got != want {
		t.Errorf("len4ascii: got %q, want %q", got, want)
	}
	if _, err := iso8583.Len4ASCII.Append(nil, make([]byte, 10_000)); !errors.Is(err, iso8583.ErrFrameSize) {
		t.Errorf("got %v, want ErrFrameSize", err)
	}
	if _, err := iso8583.Len2BE.Append(nil, make([]byte, 65_536)); !errors.Is(err, iso8583.ErrFrameSize) {
		t.Errorf("got %v, want ErrFrameSize", err)
	}
}

func TestReader_findsFramesHoweverTheStreamIsCut(t *testing.T) {
	bodies := []string{"first", "", "second, which is longer", "x", ""}
	for _, f := range []iso8583.Framing{iso8583.Len2BE, iso8583.Len4ASCII} {
		stream := frames(t, f, bodies...)
		for name, src := range map[string]io.Reader{
			"at once":       bytes.NewReader(stream),
			"byte by byte":  iotest.OneByteReader(bytes.NewReader(stream)),
			"in halves":     iotest.HalfReader(bytes.NewReader(stream)),
			"EOF with data": iotest.DataErrReader(bytes.NewReader(stream)),
		} {
			r := iso8583.NewReader(src, f, 23)
			for i, want := range bodies {
				got, err := r.Next()
				if err != nil || string(got) != want {
					t.Fatalf("%s %s, frame %d: got %q %v, want %q", f, name, i, got, err, want)
				}
			}
			if _, err := r.Next(); err != io.EOF {
				t.Errorf("%s %s: got %v at the end, want EOF", f, name, err)
			}
		}
	}
}

func TestReader_goesOnAfterADeadline(t *testing.T) {
	stream := frames(t, iso8583.Len2BE, "hello")
	for cut := range stream {
		src := io.MultiReader(bytes.NewReader(stream[:cut]), iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(stream[cut:]))))
		r := iso8583.NewReader(src, iso8583.Len2BE, 100)
		var got []byte
		var err error
		for range 3 {
			if got, err = r.Next(); !errors.Is(err, iotest.ErrTimeout) {
				break
			}
		}
		if err != nil || string(got) != "hello" {
			t.Errorf("cut at %d: got %q %v", cut, got, err)
		}
	}
}

func TestReader_refusesGarbageBeforeWaitingForIt(t *testing.T) {
	for _, c := range []struct {
		f      iso8583.Framing
		stream string
		want   error
	}{
		{iso8583.Len2BE, "\x01\x00", iso8583.ErrFrameSize},
		{iso8583.Len2BE, "GET / HTTP/1.1", iso8583.ErrFrameSize},
		{iso8583.Len4ASCII, "0101", iso8583.ErrFrameSize},
		{iso8583.Len4ASCII, "GET ", iso8583.ErrFrameLength},
		{iso8583.Len2BE, "\x00", io.ErrUnexpectedEOF},
		{iso8583.Len2BE, "\x00\x05abc", io.ErrUnexpectedEOF},
		{iso8583.Len2BE, "", io.EOF},
	} {
		r := iso8583.NewReader(bytes.NewReader([]byte(c.stream)), c.f, 100)
		if _, err := r.Next(); !errors.Is(err, c.want) {
			t.Errorf("%s %q: got %v, want %v", c.f, c.stream, err, c.want)
		}
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestReader_endsWhenAStreamGivesNothing(t *testing.T) {
	if _, err := iso8583.NewReader(idle{}, iso8583.Len2BE, 100).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want ErrNoProgress", err)
	}
}

func TestReader_tellsAnIdlePeerFromAStuckOne(t *testing.T) {
	r := iso8583.NewReader(iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader([]byte{0, 5}))), iso8583.Len2BE, 100)
	if r.Pending() {
		t.Error("nothing was read and something is pending")
	}
	if _, err := r.Next(); !errors.Is(err, iotest.ErrTimeout) {
		t.Fatalf("got %v, want a time-out", err)
	}
	if !r.Pending() {
		t.Error("half a header was read and nothing is pending")
	}
}

func TestReader_allocatesNothingPerFrame(t *testing.T) {
	stream := bytes.Repeat(frames(t, iso8583.Len2BE, "a message of some length"), 1000)
	r := iso8583.NewReader(bytes.NewReader(stream), iso8583.Len2BE, 8192)
	if n := testing.AllocsPerRun(900, func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// FuzzFrame checks that what a reader finds does not depend on how the stream
// is cut, and that frames written again are what was read.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x03abc\x00\x00"), false)
	f.Add([]byte("0003abc0000"), true)
	f.Add([]byte("\xff\xff"), false)
	f.Fuzz(func(t *testing.T, stream []byte, ascii bool) {
		framing := iso8583.Len2BE
		if ascii {
			framing = iso8583.Len4ASCII
		}
		whole := iso8583.NewReader(bytes.NewReader(stream), framing, 512)
		cut := iso8583.NewReader(iotest.OneByteReader(bytes.NewReader(stream)), framing, 512)
		var again []byte
		for {
			a, errA := whole.Next()
			b, errB := cut.Next()
			if !bytes.Equal(a, b) || !errors.Is(errA, errB) {
				t.Fatalf("cut differently: %v and %v", errA, errB)
			}
			if errA != nil {
				break
			}
			again, _ = framing.Append(again, a)
		}
		if !bytes.HasPrefix(stream, again) {
			t.Fatal("the frames are not what was read")
		}
	})
}
