//go:build linux || darwin

package embedded

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// serverLog carries what the server prints to Options.Log, and remembers its end for error messages. The server writes into a pipe that
// outlives it, so nothing waits for sessions that a killed server left behind.
type serverLog struct {
	read, write *os.File
	to          io.Writer
	done        chan struct{}

	mu   sync.Mutex
	last []byte
}

func newServerLog(to io.Writer) (*serverLog, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe for the server's log: %w", err)
	}
	if to == nil {
		to = io.Discard
	}
	l := &serverLog{read: read, write: write, to: to, done: make(chan struct{})}
	go l.copy()
	return l, nil
}

func (l *serverLog) copy() {
	defer close(l.done)
	buffer := make([]byte, 8<<10)
	for {
		n, err := l.read.Read(buffer)
		if n > 0 {
			l.add(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

// add never fails: a log that cannot be written must not stop the database.
func (l *serverLog) add(text []byte) {
	const keep = 4 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.to.Write(text)
	l.last = append(l.last, text...)
	if len(l.last) > keep {
		l.last = l.last[len(l.last)-keep:]
	}
}

func (l *serverLog) note(format string, args ...any) {
	l.add(fmt.Appendf(nil, "embedded postgres: "+format+"\n", args...))
}

func (l *serverLog) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = nil
}

func (l *serverLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return lastLines(string(l.last))
}

// close gives what is still in the pipe a moment to arrive.
func (l *serverLog) close() {
	_ = l.write.Close()
	moment := time.AfterFunc(time.Second, func() { _ = l.read.Close() })
	<-l.done
	moment.Stop()
	_ = l.read.Close()
}
