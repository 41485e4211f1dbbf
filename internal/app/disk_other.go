//go:build !linux && !darwin

package app

// freeOnDisk is not known here.
func freeOnDisk(string) (free int64, known bool) { return 0, false }
