//go:build linux || darwin

package bench

import "syscall"

// freeOnDisk is how much room the disk has on which dir lies.
func freeOnDisk(dir string) (free int64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
