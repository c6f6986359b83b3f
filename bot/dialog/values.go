package dialog

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"huiyin/bot/card"
	"huiyin/feedback"
	"huiyin/internal/i18n"
)

// valuesFresh is how long another process's change of a firm's values goes unnoticed.
const valuesFresh = time.Minute

// knownValues are what firms call their values, as they were read last: nearly every praise wants them, and they hardly ever change.
type knownValues struct {
	mu sync.Mutex
	of map[uuid.UUID]valuesRead
}

type valuesRead struct {
	values []feedback.Value
	at     time.Time
}

// values are the firm's, at most valuesFresh old.
func (d *Desk) values(ctx context.Context, orgID uuid.UUID) ([]feedback.Value, error) {
	now := d.Now()
	d.known.mu.Lock()
	last, ok := d.known.of[orgID]
	d.known.mu.Unlock()
	if ok && now.Sub(last.at).Abs() < valuesFresh {
		return last.values, nil
	}
	values, err := d.Feedback.Values(ctx, orgID)
	if err != nil {
		return nil, err
	}
	d.known.mu.Lock()
	defer d.known.mu.Unlock()
	d.known.of[orgID] = valuesRead{values, now}
	return values, nil
}

// forgetValues has them read anew.
func (d *Desk) forgetValues(orgID uuid.UUID) {
	d.known.mu.Lock()
	defer d.known.mu.Unlock()
	delete(d.known.of, orgID)
}

// tagOf is the tag under which a value is stored, whatever the language of who chose it.
func tagOf(v feedback.Value) string { return firstNonEmpty(v.Name, v.NameEn) }

// valueNamed finds the value that a tag means, in either language. Case, width and what joins words do not count: #customer-first is "Customer
// first".
func valueNamed(values []feedback.Value, tag string) (feedback.Value, bool) {
	tag = foldTag(tag)
	at := slices.IndexFunc(values, func(v feedback.Value) bool { return tag != "" && (foldTag(v.Name) == tag || foldTag(v.NameEn) == tag) })
	if at < 0 {
		return feedback.Value{}, false
	}
	return values[at], true
}

func foldTag(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("-_·#", r) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFKC.String(s)))
}

// stored are tags as they are stored: values by their one tag, anything else as it was typed.
func (t *Talk) stored(ctx context.Context, tags []string) ([]string, error) {
	if len(tags) == 0 {
		return tags, nil
	}
	values, err := t.values(ctx, t.Org.ID)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, tag := range tags {
		if v, ok := valueNamed(values, tag); ok {
			tag = tagOf(v)
		}
		if !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out, nil
}

// valueIn is what a reader of that language calls a value.
func valueIn(lang string, v feedback.Value) string {
	if lang == i18n.English && v.NameEn != "" {
		return v.NameEn
	}
	return firstNonEmpty(v.Name, v.NameEn)
}

// tags are tags in the reader's language. When the values cannot be read, they stay as they are stored.
func (r reader) tags(ctx context.Context, tags []string) []string {
	if len(tags) == 0 {
		return nil
	}
	values, err := r.values(ctx, r.org.ID)
	if err != nil {
		r.Log.WarnContext(ctx, "tags stay as they are stored, the values cannot be read", "error", err)
		return tags
	}
	out := make([]string, len(tags))
	for i, tag := range tags {
		out[i] = tag
		if v, ok := valueNamed(values, tag); ok {
			out[i] = valueIn(r.say.Lang(), v)
		}
	}
	return out
}

// tagsBlock shows tags, if there are any.
func (r reader) tagsBlock(ctx context.Context, tags []string) []card.Block {
	if len(tags) == 0 {
		return nil
	}
	return []card.Block{card.Small(r.say.T("praise.tags", "Tags", "#"+strings.Join(r.tags(ctx, tags), " #")))}
}

// tagField adds the choice of the firm's values, and of the tags that are there already, to a form.
func (t *Talk) tagField(ctx context.Context, fields []card.Field, tags []string) ([]card.Field, error) {
	values, err := t.values(ctx, t.Org.ID)
	if err != nil {
		return nil, err
	}
	if tags, err = t.stored(ctx, tags); err != nil {
		return nil, err
	}
	var options []card.Option
	for _, v := range values {
		options = append(options, card.Option{Value: tagOf(v), Label: valueIn(t.Say.Lang(), v)})
	}
	for _, tag := range tags {
		if !slices.ContainsFunc(options, func(o card.Option) bool { return o.Value == tag }) {
			options = append(options, card.Option{Value: tag, Label: tag})
		}
	}
	if len(options) == 0 {
		return fields, nil
	}
	return append(fields, card.ChoiceField{Name: "tags", Label: t.Say.T("praise.form.value"), Options: options, Value: tags, Optional: true, Many: true}), nil
}
