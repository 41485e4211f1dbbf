package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// step is one step of the demo as it is told.
type step struct {
	Step     int       `json:"step"`
	Title    string    `json:"title"`
	Sent     *sent     `json:"sent,omitempty"`
	Answered *answered `json:"answered,omitempty"`
	Balance  *balance  `json:"balance,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
	OK       bool      `json:"ok"`
	Problems []string  `json:"problems,omitempty"` // where it ended otherwise than the story says
}

// sent is what the world outside sent.
type sent struct {
	Message string `json:"message"` // an MTI, or method and path
	Amount  string `json:"amount,omitempty"`
	Entry   string `json:"entryMode,omitempty"` // DE22
	How     string `json:"how,omitempty"`       // the same in words
}

// answered is what the platform answered.
type answered struct {
	Message           string  `json:"message,omitempty"` // an MTI
	Code              string  `json:"responseCode"`      // DE39, or an HTTP status
	Reason            string  `json:"reason,omitempty"`
	LatencyMS         float64 `json:"latencyMs"`
	AuthorizationCode string  `json:"authorizationCode,omitempty"`
	TransactionID     string  `json:"transactionId,omitempty"`
	IssuerCryptogram  bool    `json:"issuerCryptogram,omitempty"` // came, and the card believes it
}

// balance is the card account, as decimal text.
type balance struct {
	Posted    string `json:"posted"`
	Held      string `json:"held"`
	Available string `json:"available"`
	Currency  string `json:"currency"`
}

// narrator tells steps as they happen.
type narrator struct {
	w      io.Writer
	asJSON bool
	steps  int
	wrong  int // steps that ended otherwise
}

// tell prints a step and numbers it.
func (n *narrator) tell(s step) error {
	n.steps++
	s.Step, s.OK = n.steps, len(s.Problems) == 0
	if !s.OK {
		n.wrong++
	}
	if n.asJSON {
		e := json.NewEncoder(n.w)
		e.SetEscapeHTML(false)
		return e.Encode(s)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%2d. %s\n", s.Step, s.Title)
	if s.Sent != nil {
		fmt.Fprintf(&b, "    sent      %s\n", joinWords(s.Sent.Message, s.Sent.Amount, s.Sent.entry()))
	}
	if a := s.Answered; a != nil {
		latency := time.Duration(a.LatencyMS * float64(time.Millisecond)).Round(10 * time.Microsecond)
		fmt.Fprintf(&b, "    answered  %s\n", joinWords(a.Message, a.Code, a.Reason, a.approval(), "in "+latency.String()))
	}
	if s.Balance != nil {
		fmt.Fprintf(&b, "    balance   posted %s   held %s   available %s %s\n",
			s.Balance.Posted, s.Balance.Held, s.Balance.Available, s.Balance.Currency)
	}
	for _, note := range s.Notes {
		b.WriteString(strings.TrimRight("              "+note, " ") + "\n")
	}
	for _, problem := range s.Problems {
		fmt.Fprintf(&b, "    WRONG     %s\n", problem)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(n.w, b.String())
	return err
}

// say prints a paragraph between steps; JSON has none.
func (n *narrator) say(format string, args ...any) {
	if !n.asJSON {
		fmt.Fprintf(n.w, format+"\n", args...)
	}
}

func (s *sent) entry() string {
	if s.Entry == "" {
		return s.How
	}
	return fmt.Sprintf("%s (%s)", s.How, s.Entry)
}

func (a *answered) approval() string {
	switch {
	case a.AuthorizationCode != "" && a.IssuerCryptogram:
		return "approval code " + a.AuthorizationCode + ", and the card believes the issuer"
	case a.AuthorizationCode != "":
		return "approval code " + a.AuthorizationCode
	case a.IssuerCryptogram:
		return "the card believes the issuer"
	}
	return ""
}

// joinWords joins what is not empty.
func joinWords(words ...string) string {
	var some []string
	for _, w := range words {
		if w != "" {
			some = append(some, w)
		}
	}
	return strings.Join(some, "  ")
}
