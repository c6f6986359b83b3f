package chat

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A field is named "v GROUP NAME" with both escaped; what group and name are is the vendor's business. "t GROUP NAME" is a moment
// without a zone that the platform keeps in Unix seconds, "d GROUP NAME" one that it keeps as 2006-01-02 15:04. A press is
// "GROUP NAME", for an item of a menu "GROUP NAME VALUE".

func fieldName(group, name string) string {
	return "v " + url.QueryEscape(group) + " " + url.QueryEscape(name)
}

func pressName(parts ...string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = url.QueryEscape(p)
	}
	return strings.Join(out, " ")
}

// readPress splits a press into its parts, of which there are two or three.
func readPress(press string) ([]string, bool) {
	parts, ok := unescaped(press)
	return parts, ok && (len(parts) == 2 || len(parts) == 3)
}

func unescaped(escaped string) ([]string, bool) {
	parts := strings.Split(escaped, " ")
	for i, p := range parts {
		text, err := url.QueryUnescape(p)
		if err != nil {
			return nil, false
		}
		parts[i] = text
	}
	return parts, true
}

// readFields reads what stands in a form, by group and name. An empty value says that the field is there with nothing in it.
func readFields[I ~[]string](v entered, zone *time.Location) map[string]map[string]I {
	out := map[string]map[string]I{}
	for name, values := range v {
		if len(name) < 2 || name[1] != ' ' || !strings.Contains("vtd", name[:1]) {
			continue
		}
		parts, ok := unescaped(name[2:])
		if !ok || len(parts) != 2 {
			continue
		}
		var in I
		for _, value := range values {
			value = strings.ReplaceAll(value, "\r\n", "\n")
			switch name[0] {
			case 't':
				value = fromLocal(value, zone)
			case 'd':
				value = strings.Replace(value, "T", " ", 1)
			}
			if value != "" {
				in = append(in, value)
			}
		}
		if out[parts[0]] == nil {
			out[parts[0]] = map[string]I{}
		}
		out[parts[0]][parts[1]] = in
	}
	return out
}

// localMoment is how an input of type datetime-local writes a moment.
const localMoment = "2006-01-02T15:04"

func fromLocal(value string, zone *time.Location) string {
	t, err := time.ParseInLocation(localMoment, value, zone)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

func toLocal(unix string, zone *time.Location) string {
	n, err := strconv.ParseInt(unix, 10, 64)
	if err != nil {
		return ""
	}
	return time.Unix(n, 0).In(zone).Format(localMoment)
}

// fieldError puts what a vendor's own client says about a field into the reader's language; what the bot says stays as it is.
func fieldError(say words, why string) string {
	for en, key := range map[string]string{
		"This field is required":                 "demo.field.required",
		"This is not an email address":           "demo.field.email",
		"This is not a URL":                      "demo.field.url",
		"This is not a number of the right form": "demo.field.number",
		"At least {n} characters are needed":     "demo.field.short",
		"At most {n} characters are allowed":     "demo.field.long",
		"At least {n}":                           "demo.field.low",
		"At most {n}":                            "demo.field.high",
	} {
		before, after, numbered := strings.Cut(en, "{n}")
		if !numbered {
			if why == en {
				return say.T(key)
			}
			continue
		}
		n, ok := strings.CutPrefix(why, before)
		n, ends := strings.CutSuffix(n, after)
		if _, err := strconv.ParseFloat(n, 64); ok && ends && err == nil {
			return say.T(key, "Number", n)
		}
	}
	return why
}
