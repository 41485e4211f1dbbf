//go:build !linux && !darwin

package bench

// freeOnDisk is not known here.
func freeOnDisk(string) (free int64, known bool) { return 0, false }
