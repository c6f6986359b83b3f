package chat

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// patience is how long the browser may take to start, and for a condition to come true.
const patience = 60 * time.Second

// browser is one page of a headless Chromium, driven through the DevTools protocol.
// https://chromedevtools.github.io/devtools-protocol/
type browser struct {
	t       *testing.T
	conn    *websocket.Conn
	session string
	shots   string

	mu      sync.Mutex
	writing sync.Mutex
	next    int
	waiting map[int]chan protocolAnswer
	gone    chan struct{} // closed when it has hung up
	errors  []string      // of the page's console and its exceptions
}

type protocolAnswer struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// chromium finds the browser or fails: a test without it would prove nothing.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("this test needs a Chromium and found none: apt-get install chromium")
	return ""
}

// openBrowser starts a Chromium of its own with nothing in it, at about:blank.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	profile := t.TempDir()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), chromium(t), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--force-prefers-reduced-motion", "--lang=en-US", "--remote-debugging-port=0", "--user-data-dir="+profile, "about:blank")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has children
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	b := &browser{t: t, waiting: map[int]chan protocolAnswer{}, gone: make(chan struct{}), shots: artifacts(t)}
	t.Cleanup(func() {
		late := time.AfterFunc(patience, func() { cmd.Process.Kill() }) //nolint:errcheck // it may have gone already
		defer late.Stop()
		if b.conn != nil { // asked to close, it stops writing into its profile, which is about to be removed
			b.session = ""
			b.send("Browser.close", nil) //nolint:errcheck // what does not listen is killed
			for range b.gone {           // until it has hung up
			}
			b.conn.Close() //nolint:errcheck // it has hung up
		} else {
			cmd.Process.Kill() //nolint:errcheck // it may have gone already
		}
		cmd.Wait()                                      //nolint:errcheck // how it ends does not matter
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // its children have gone as a rule
	})
	// Chromium says on its standard error where it listens; the file DevToolsActivePort in the profile says the same.
	said := make([]byte, 0, 4096)
	buf := make([]byte, 1024)
	address := ""
	for address == "" {
		n, err := stderr.Read(buf)
		said = append(said, buf[:n]...)
		if _, rest, ok := strings.Cut(string(said), "DevTools listening on "); ok {
			if line, _, whole := strings.Cut(rest, "\n"); whole {
				address = strings.TrimSpace(line)
			}
		}
		if err != nil && address == "" {
			t.Fatalf("Chromium ended before it listened: %v\n%s", err, said)
		}
	}
	go func() { // keep its standard error from filling up
		for {
			if _, err := stderr.Read(buf); err != nil {
				return
			}
		}
	}()
	conn, res, err := websocket.DefaultDialer.DialContext(t.Context(), address, nil)
	if err != nil {
		t.Fatalf("connecting to Chromium: %v", err)
	}
	defer res.Body.Close()
	b.conn = conn
	go b.listen()
	target := b.must("Target.createTarget", map[string]any{"url": "about:blank"})
	attached := b.must("Target.attachToTarget", map[string]any{"targetId": field(target, "targetId"), "flatten": true})
	b.session = field(attached, "sessionId")
	for _, domain := range []string{"Page.enable", "Runtime.enable", "Log.enable"} {
		b.must(domain, nil)
	}
	return b
}

// artifacts is where screenshots go.
func artifacts(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("HUIYIN_ARTIFACTS")
	if dir == "" {
		return t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (b *browser) listen() {
	defer close(b.gone)
	for {
		var a protocolAnswer
		if err := b.conn.ReadJSON(&a); err != nil {
			b.mu.Lock()
			for _, c := range b.waiting {
				close(c)
			}
			b.waiting = nil
			b.mu.Unlock()
			return
		}
		b.mu.Lock()
		switch {
		case a.ID != 0:
			if c := b.waiting[a.ID]; c != nil {
				delete(b.waiting, a.ID)
				c <- a
			}
		case strings.Contains(string(a.Params), "status of 422"): // the page was told why, and tells it
		case a.Method == "Runtime.exceptionThrown", a.Method == "Log.entryAdded" && strings.Contains(string(a.Params), `"level":"error"`):
			b.errors = append(b.errors, string(a.Params))
		}
		b.mu.Unlock()
	}
}

// send asks for something and returns where the answer will come.
func (b *browser) send(method string, params any) (<-chan protocolAnswer, error) {
	b.mu.Lock()
	if b.waiting == nil {
		b.mu.Unlock()
		return nil, errGone
	}
	b.next++
	id, answered := b.next, make(chan protocolAnswer, 1)
	b.waiting[id] = answered
	b.mu.Unlock()
	msg := map[string]any{"id": id, "method": method}
	if params != nil {
		msg["params"] = params
	}
	if b.session != "" {
		msg["sessionId"] = b.session
	}
	b.writing.Lock()
	err := b.conn.WriteJSON(msg)
	b.writing.Unlock()
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", method, err)
	}
	return answered, nil
}

var errGone = errors.New("the browser has gone")

func (b *browser) call(method string, params any) (json.RawMessage, error) {
	answered, err := b.send(method, params)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	select {
	case a, ok := <-answered:
		if !ok {
			return nil, errGone
		}
		if a.Error != nil {
			return nil, fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		return a.Result, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: no answer", method)
	}
}

func (b *browser) must(method string, params any) json.RawMessage {
	b.t.Helper()
	res, err := b.call(method, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

// field is one string of a protocol answer.
func field(raw json.RawMessage, name string) string { return nodeOf(raw).str(name) }

// eval runs an expression in the page and returns its value; a promise is waited for.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	v, err := b.try(expression)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *browser) try(expression string) (any, error) {
	raw, err := b.call("Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true,
	})
	if err != nil {
		return nil, err
	}
	n := nodeOf(raw)
	if bad := n.node("exceptionDetails"); bad != nil {
		return nil, fmt.Errorf("in the page: %s %s\n%s", bad.str("text"), bad.node("exception").str("description"), expression)
	}
	return n.node("result")["value"], nil
}

// wait returns when a condition of the page has come true; it watches the page for changes rather than the clock.
func (b *browser) wait(what, condition string) {
	b.t.Helper()
	_, err := b.try(fmt.Sprintf(`new Promise((done, fail) => {
		const holds = () => { try { return Boolean(%s); } catch { return false; } };
		if (holds()) return done(true);
		const see = new MutationObserver(() => { if (holds()) end(done, true); });
		const again = setInterval(() => { if (holds()) end(done, true); }, 50);
		const late = setTimeout(() => end(fail, new Error("not within %v")), %d);
		const end = (how, v) => { see.disconnect(); clearInterval(again); clearTimeout(late); how(v); };
		see.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
	})`, condition, patience-5*time.Second, (patience - 5*time.Second).Milliseconds()))
	if err != nil {
		b.shot("failed")
		text, _ := b.try("document.body.innerText")
		b.t.Fatalf("the page never showed that %s: %v\nerrors of the page: %s\nthe page says:\n%v", what, err, strings.Join(b.errors, "\n"), text)
	}
}

// sees waits for a text within what a selector finds.
func (b *browser) sees(css, text string) {
	b.t.Helper()
	b.wait(fmt.Sprintf("%s has %q", css, text), fmt.Sprintf(`[...document.querySelectorAll(%s)].some(e => e.innerText.includes(%s))`, js(css), js(text)))
}

// open goes to an address and waits until the page there is alive.
func (b *browser) open(url string) {
	b.t.Helper()
	b.eval("window.left = true")
	b.must("Page.navigate", map[string]any{"url": url})
	b.alive(url, "!window.left")
}

// live waits until the page at an address that begins so is alive, as after a click on a link.
func (b *browser) live(url string) {
	b.t.Helper()
	b.alive(url, fmt.Sprintf("location.href.startsWith(%s)", js(url)))
}

// alive waits until a page has its script running and its stream open.
func (b *browser) alive(url, which string) {
	b.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		v, err := b.try(fmt.Sprintf(`new Promise(done => {
			const holds = () => (%s) && document.documentElement.dataset.live === "yes";
			if (holds()) return done(true);
			const see = setInterval(() => { if (holds()) { clearInterval(see); done(true); } }, 20);
		})`, which))
		if err == nil && v == true {
			return
		}
		select { // the page that was asked has gone; ask its successor
		case <-deadline.C:
			b.t.Fatalf("%s did not come alive: %v", url, err)
		default:
		}
	}
}

// click presses the mouse on the middle of the first visible match, after scrolling to it.
func (b *browser) click(css string) {
	b.t.Helper()
	b.clickWhere(css, "true")
}

// clickText clicks the match that has a text.
func (b *browser) clickText(css, text string) {
	b.t.Helper()
	b.clickWhere(css, fmt.Sprintf("e.innerText.includes(%s)", js(text)))
}

func (b *browser) clickWhere(css, which string) {
	b.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll(%s)].find(e => e.checkVisibility() && !e.closest("[inert]") && (%s))`, js(css), which)
	b.wait("there is a "+css+" to click", find)
	at := b.eval(fmt.Sprintf(`(() => { const e = %s; e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect();
		return JSON.stringify({x: r.left + r.width / 2, y: r.top + r.height / 2}); })()`, find))
	where := nodeOf([]byte(fmt.Sprint(at)))
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.must("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": where["x"], "y": where["y"], "button": "left", "clickCount": 1})
	}
}

// write types text into what has the focus, letter by letter as a keyboard does.
func (b *browser) write(text string) {
	b.t.Helper()
	for _, r := range text {
		if r == '\n' {
			b.press("Enter", 8) // with Shift
			continue
		}
		b.must("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "text": string(r), "key": string(r)})
		b.must("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": string(r)})
	}
}

// focused waits until what a selector finds has the focus.
func (b *browser) focused(css string) {
	b.t.Helper()
	b.wait(css+" has the focus", fmt.Sprintf("document.activeElement.matches(%s)", js(css)))
}

// key presses a key that writes nothing.
func (b *browser) key(name string) {
	b.t.Helper()
	b.press(name, 0)
}

func (b *browser) press(name string, modifiers int) {
	b.t.Helper()
	code := map[string]int{"Enter": 13, "ArrowDown": 40, "ArrowUp": 38, "Escape": 27, "Tab": 9, "Backspace": 8}[name]
	down := map[string]any{"type": "keyDown", "key": name, "code": name, "windowsVirtualKeyCode": code, "modifiers": modifiers}
	if name == "Enter" {
		down["text"] = "\r"
	}
	b.must("Input.dispatchKeyEvent", down)
	b.must("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": name, "code": name, "windowsVirtualKeyCode": code, "modifiers": modifiers})
}

// size makes the window a desktop's or a phone's.
func (b *browser) size(width, height int, phone bool) {
	b.t.Helper()
	b.must("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone,
	})
	b.must("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": phone})
}

// dark turns the colours around.
func (b *browser) dark(on bool) {
	b.t.Helper()
	value := "light"
	if on {
		value = "dark"
	}
	b.must("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": value}}})
}

// shot keeps a picture of the window.
func (b *browser) shot(name string) {
	b.t.Helper()
	raw, err := b.call("Page.captureScreenshot", map[string]any{"format": "png"})
	if err != nil {
		b.t.Errorf("taking a picture: %v", err)
		return
	}
	png, err := base64.StdEncoding.DecodeString(field(raw, "data"))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.shots, name+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Errorf("keeping a picture: %v", err)
	}
}

// wide says that something sticks out of the window to the right, which makes a phone scroll sideways.
func (b *browser) wide() any {
	b.t.Helper()
	return b.eval(`document.documentElement.scrollWidth > innerWidth`)
}

// js is a text as a script writes it.
func js(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(raw)
}
