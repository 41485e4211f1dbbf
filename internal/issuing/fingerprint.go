package issuing

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/sarraf-platform/sarraf/internal/pan"
)

// Fingerprint identifies what a network message is about: a card number, whoever
// issued it, and the text of other fields. Two messages have the same
// fingerprint exactly when both agree; without the platform's keys it tells
// neither.
func (s *Service) Fingerprint(ctx context.Context, p pan.PAN, fields string) (string, error) {
	sum, err := s.HSM.Index(ctx, "host", "message", []byte(p.Reveal()+"|"+fields))
	if err != nil {
		return "", fmt.Errorf("fingerprint: %w", hsmFault(err))
	}
	return hex.EncodeToString(sum[:16]), nil
}
