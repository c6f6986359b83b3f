package chat

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one thing that a person does on the page.
type call struct {
	site *site
	p    platform
	as   reader
	form url.Values
}

func (c call) spot() spot {
	return spot{place: c.form.Get("place"), message: c.form.Get("message"), view: c.form.Get("view")}
}

// act does it; the text is HTML that the script of the page asked for.
type act func(call) (o outcome, html string, err error)

func acts() map[string]act {
	return map[string]act{
		"send": func(c call) (outcome, string, error) {
			o, err := c.p.send(c.as.user, c.form.Get("place"), strings.ReplaceAll(c.form.Get("text"), "\r\n", "\n"))
			return o, "", err
		},
		"press": func(c call) (outcome, string, error) {
			o, err := c.p.press(c.as, c.spot(), c.form.Get("press"), entered(c.form))
			return o, "", err
		},
		"menu": func(c call) (outcome, string, error) {
			o, err := c.p.pick(c.as, c.form.Get("key"))
			return o, "", err
		},
		"choices": func(c call) (outcome, string, error) {
			html, err := c.p.choices(c.as, c.spot(), c.form.Get("element"), c.form.Get("typed"), entered(c.form))
			return outcome{}, string(html), err
		},
		"submit": func(c call) (outcome, string, error) {
			if press := c.form.Get("press"); press != "" { // a button among the fields of the form
				o, err := c.p.press(c.as, c.spot(), press, entered(c.form))
				return o, "", err
			}
			o, err := c.p.submit(c.as, c.form.Get("view"), entered(c.form))
			return o, "", err
		},
		"dismiss": func(c call) (outcome, string, error) {
			return outcome{}, "", c.p.dismiss(c.as.user, c.form.Get("view"))
		},
		"home":  func(c call) (outcome, string, error) { return outcome{}, "", c.p.openHome(c.as.user) },
		"clock": moveClock,
	}
}

// acting serves one act. A script that accepts JSON gets {"notice": …} when the act was refused; a plain form comes back to the page.
func (s *site) acting(do act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.view(r)
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		on := v.p
		if of, known := s.named(r.URL.Query().Get("of")); known {
			on = of
		}
		at, ok := s.pane(v, 1, account{on: on.name(), user: r.PostForm.Get("user")})
		if !ok {
			http.Error(w, v.T("demo.refused.person"), http.StatusUnprocessableEntity)
			return
		}
		o, html, err := do(call{site: s, p: at.p, as: at.as, form: r.PostForm})
		if o.deed.Kind != "" {
			s.deeds.tell(o.deed)
		}
		switch {
		case !strings.Contains(r.Header.Get("Accept"), "application/json"):
			w.Header().Set("Location", "../"+v.st.link()[len("./"):])
			w.WriteHeader(http.StatusSeeOther)
		case err != nil:
			answer(w, http.StatusUnprocessableEntity, told(v.words, err))
		default:
			if o.sheet != nil {
				o.sheet.Framed = framed(r.Context(), o.sheet.URL)
			}
			answer(w, http.StatusOK, answered{HTML: html, Toast: o.toast, Sheet: o.sheet})
		}
	}
}

// told is what the script is told of an error. What is no refusal is a control that the person could not have: the page was old.
func told(say words, err error) answered {
	var why refusal
	if !errors.As(err, &why) {
		return answered{Notice: say.T("demo.refused.gone")}
	}
	out := answered{Notice: say.T(why.key, why.args...), Fields: map[string]string{}}
	for name, text := range why.fields {
		out.Fields[name] = fieldError(say, text)
	}
	return out
}

func answer(w http.ResponseWriter, status int, a answered) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(a.encode()) //nolint:errcheck // a browser that has gone away cannot be told
}

// moveClock moves every clock by an hour, by a day, or to Monday morning where the person is.
func moveClock(c call) (outcome, string, error) {
	if c.site.move == nil {
		return outcome{}, "", refuse("demo.refused.clock")
	}
	now := c.p.now().In(c.as.zone)
	var by time.Duration
	switch c.form.Get("by") {
	case "hour":
		by = time.Hour
	case "day":
		by = now.AddDate(0, 0, 1).Sub(now)
	case "monday":
		days := (8 - int(now.Weekday())) % 7
		if days == 0 {
			days = 7
		}
		by = time.Date(now.Year(), now.Month(), now.Day()+days, 9, 0, 0, 0, c.as.zone).Sub(now)
	default:
		return outcome{}, "", refuse("demo.refused.clock")
	}
	c.site.move(by)
	return outcome{}, "", nil
}
