package authorization

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Stage is a part of the way of a request. No moment belongs to two of them.
type Stage int

// The stages, in the order in which a request passes them. One that has nothing
// to do is not passed.
const (
	// StageQueue is waiting for others: for its turn at the door, for a processor, and
	// for its group to begin.
	StageQueue Stage = iota
	// StageParse makes a request of the bytes of a message.
	StageParse
	// StageReplay looks for the answer that a repeat was given before.
	StageReplay
	// StageGather reads what it is decided under, cryptography not included.
	StageGather
	// StageCrypto compares what is secret and makes the cryptogram of the answer.
	StageCrypto
	// StageDecide is the pure decision.
	StageDecide
	// StageCommit is the transaction of its group: locks, reading, writing, until it
	// is durable. Its own decision is not in it, those of the others are.
	StageCommit
	// StageAsk waits for the client that owns the balance.
	StageAsk
	// StagePack makes the bytes of the answer.
	StagePack
	// StageCount is how many there are.
	StageCount
)

// stageNames are the names of the stages, and the letters under which their times
// are stored. A letter is never given to another one.
var stageNames = [StageCount]struct {
	name   string
	letter byte
}{
	{"queue", 'q'}, {"parse", 'p'}, {"replay", 'r'}, {"gather", 'g'}, {"crypto", 'c'}, {"decide", 'd'}, {"commit", 'w'},
	{"ask", 'a'}, {"pack", 'k'},
}

func (s Stage) String() string { return stageNames[s].name }

// Times is how long a request was in each stage so far; zero when it did not pass
// it. They are for people: nothing is decided by them, and deciding again does not
// give them again.
type Times [StageCount]time.Duration

// micros is the stored form: the letter of each stage with its microseconds,
// such as "q12p30g210c95d41".
func (t *Times) micros() string {
	out := make([]byte, 0, 40)
	for s, d := range t {
		if d > 0 {
			out = strconv.AppendInt(append(out, stageNames[s].letter), d.Microseconds(), 10)
		}
	}
	return string(out)
}

var errTimes = errors.New("the times of a decision are not what we write")

func parseTimes(micros string) (t Times, err error) {
	for rest := micros; rest != ""; {
		s := 0
		for s < len(stageNames) && stageNames[s].letter != rest[0] {
			s++
		}
		end := 1
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		n, err := strconv.ParseInt(rest[1:end], 10, 64)
		if s == len(stageNames) || err != nil || n > int64(24*time.Hour/time.Microsecond) {
			return Times{}, errTimes
		}
		// What was shorter than a microsecond was passed all the same.
		t[s], rest = max(1, time.Duration(n)*time.Microsecond), rest[end:]
	}
	return t, nil
}

// String is for a line of the log: "queue=12 parse=30", in microseconds.
func (t *Times) String() string {
	var out strings.Builder
	for s, d := range t {
		if d > 0 {
			if out.Len() > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(stageNames[s].name + "=" + strconv.FormatInt(d.Microseconds(), 10))
		}
	}
	return out.String()
}
