package db

import (
	"errors"
	"fmt"
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// pageMemory is for the pages of SQLite files, which all connections of the process
// share: as much as the caches of a file that payments write to hold together. A page
// less than a power of two, for the allocator of the engine rounds up to the next.
const pageMemory = 128<<20 - pageSize

// pageSize is that of all files that SQLite makes here, in bytes.
const pageSize = 4096

// configuring does it once in a process: nothing else protects it, and SQLite refuses it
// when it has opened a file.
var configuring sync.Once

// takePageMemory hands SQLite its memory for pages, which it cuts into slots. Without, it
// allocates each page by itself: little more than 4 kB with what is known of it, for
// which the allocator, whose sizes are powers of two, takes more than 8 kB. When no slot
// is free, the page of a file that was not used for longest, of whichever connection, makes
// room, and pages of temporary tables are allocated as without.
//
// The first call in a process does it, before it opens its first file; later ones do
// nothing. SQLite links the slots at once, so that the process has all of this memory from then on.
func takePageMemory() (err error) {
	configuring.Do(func() { err = configurePages() })
	return err
}

func configurePages() error {
	tls := libc.NewTLS()
	defer tls.Close()
	known := libc.Xcalloc(tls, 1, 4)
	if known == 0 {
		return errors.New("no memory to configure SQLite")
	}
	defer libc.Xfree(tls, known)
	if code := configureSQLite(tls, sqlite3.SQLITE_CONFIG_PCACHE_HDRSZ, known); code != sqlite3.SQLITE_OK {
		return fmt.Errorf("ask SQLite what it knows of a page: error %d", code)
	}
	slot := pageSize + libc.AtomicLoadPInt32(known)
	memory := libc.Xmalloc(tls, pageMemory)
	if memory == 0 {
		return fmt.Errorf("no %d MiB of memory for pages", (pageMemory+pageSize)>>20)
	}
	switch code := configureSQLite(tls, sqlite3.SQLITE_CONFIG_PAGECACHE, memory, slot, pageMemory/slot); code {
	case sqlite3.SQLITE_OK: // SQLite's, for good
		return nil
	case sqlite3.SQLITE_MISUSE: // somebody else has opened a file
		libc.Xfree(tls, memory)
		return nil
	default:
		libc.Xfree(tls, memory)
		return fmt.Errorf("hand SQLite its memory for pages: error %d", code)
	}
}

func configureSQLite(tls *libc.TLS, what int32, args ...any) (code int32) {
	list := libc.NewVaList(args...)
	defer libc.Xfree(tls, list)
	return sqlite3.Xsqlite3_config(tls, what, list)
}
