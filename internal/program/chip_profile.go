package program

import (
	"fmt"
	"strings"

	"github.com/sarraf-platform/sarraf/internal/hsm"
)

// ChipProfile returns the profile that a product's chipProfileCode names: CVN10,
// CVN18 and CVN22 after Visa's cryptogram versions, MCHIP16, MCHIP17, MCHIP20
// and MCHIP21 after Mastercard's.
//
// With -PIN behind it, the chip also verifies PINs itself: it has to be told of
// another one.
func ChipProfile(code string) (hsm.Profile, error) {
	switch strings.TrimSuffix(code, offlinePIN) {
	case "CVN10":
		return hsm.CVN10, nil
	case "CVN18":
		return hsm.CVN18, nil
	case "CVN22":
		return hsm.CVN22, nil
	case "MCHIP16":
		return hsm.MChip16, nil
	case "MCHIP17":
		return hsm.MChip17, nil
	case "MCHIP20":
		return hsm.MChip20, nil
	case "MCHIP21":
		return hsm.MChip21, nil
	}
	return 0, fmt.Errorf("read chip profile: %w", hsm.ErrNotSupported)
}

// offlinePIN ends the code of a profile whose chip verifies PINs itself.
const offlinePIN = "-PIN"

// HasOfflinePIN reports whether a chip of the profile verifies PINs itself.
func HasOfflinePIN(code string) bool {
	_, err := ChipProfile(code)
	return err == nil && strings.HasSuffix(code, offlinePIN)
}
