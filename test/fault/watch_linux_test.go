package fault_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// watch sees what happens to the files of some folders, in order, and does
// something at the n-th of it.
type watch struct {
	t    testing.TB
	file *os.File
	wg   sync.WaitGroup

	mu   sync.Mutex // guards all below
	seen int
	n    int
	do   func()
}

// newWatch watches folders from now on, and folders that are made in them.
func newWatch(t testing.TB, folders ...string) *watch {
	t.Helper()
	const what = syscall.IN_CREATE | syscall.IN_MODIFY | syscall.IN_CLOSE_WRITE | syscall.IN_MOVED_TO | syscall.IN_DELETE | syscall.IN_ATTRIB
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	check(t, err)
	w := &watch{t: t, file: os.NewFile(uintptr(fd), "inotify")}
	names := make(map[int32]string) // of the folders, by the number that an event has
	add := func(folder string) error {
		id, err := syscall.InotifyAddWatch(fd, folder, what)
		names[int32(id)] = folder
		return err
	}
	for _, folder := range folders {
		check(t, add(folder))
	}
	w.wg.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := w.file.Read(buf)
			if err != nil {
				return // closed
			}
			for at := 0; at+syscall.SizeofInotifyEvent <= n; {
				id, mask, length := event(buf[at:])
				name := buf[at+syscall.SizeofInotifyEvent : at+syscall.SizeofInotifyEvent+length]
				if mask&syscall.IN_CREATE != 0 && mask&syscall.IN_ISDIR != 0 {
					_ = add(names[id] + "/" + cString(name)) // it may be gone already
				}
				w.happens()
				at += syscall.SizeofInotifyEvent + length
			}
		}
	})
	t.Cleanup(func() { w.stop() })
	return w
}

func (w *watch) happens() {
	w.mu.Lock()
	w.seen++
	do := w.do
	if w.seen != w.n {
		do = nil
	}
	w.mu.Unlock()
	if do != nil {
		do()
	}
}

// at has something done at the n-th event.
func (w *watch) at(n int, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n, w.do = n, do
}

// stop ends the watch and returns how much it has seen.
func (w *watch) stop() int {
	for last := -1; ; time.Sleep(20 * time.Millisecond) { // what has happened is read
		w.mu.Lock()
		seen := w.seen
		w.mu.Unlock()
		if seen == last {
			break
		}
		last = seen
	}
	_ = w.file.Close() // it may be closed
	w.wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// event reads the head of an event: the watch, the mask, the length of the name.
func event(b []byte) (id int32, mask uint32, length int) {
	return int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]), int(binary.NativeEndian.Uint32(b[12:]))
}

func cString(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}
