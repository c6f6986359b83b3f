// Package i18n turns message keys into sentences in the reader's language. It wraps go-i18n so that a missing key or placeholder
// is found by a test and never by a person, and so that plural counts are always passed. It knows no chat platform: what it
// returns is plain text, and a renderer escapes it.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// The languages that the product speaks. Chinese and English are equal; neither is a fallback that a person should ever notice.
const (
	English = "en"
	Chinese = "zh-CN"
)

// Languages lists every language a person may choose.
func Languages() []string { return []string{Chinese, English} }

//go:embed locales/*.json
var locales embed.FS

// Catalog holds all messages of all languages.
type Catalog struct {
	printers map[string]Printer
	keys     map[string][]string
	matcher  language.Matcher
}

// Printer writes in one language.
type Printer struct {
	lang string
	loc  *goi18n.Localizer
}

// Load reads the embedded locale files (locales/AREA.LANG.json: flat objects of key to text, or of key to plural forms).
func Load() (*Catalog, error) { return load(locales) }

func load(files fs.FS) (*Catalog, error) {
	bundle := goi18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	c := &Catalog{printers: map[string]Printer{}, keys: map[string][]string{}}
	paths, err := fs.Glob(files, "locales/*.json")
	if err != nil {
		return nil, fmt.Errorf("listing locale files: %w", err)
	}
	for _, path := range paths {
		file, err := bundle.LoadMessageFileFS(files, path)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		for _, m := range file.Messages {
			if slices.Contains(c.keys[file.Tag.String()], m.ID) {
				return nil, fmt.Errorf("reading %s: key %s stands in two files", path, m.ID)
			}
			c.keys[file.Tag.String()] = append(c.keys[file.Tag.String()], m.ID)
		}
	}
	c.matcher = language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese})
	for _, lang := range Languages() {
		c.printers[lang] = Printer{lang: lang, loc: goi18n.NewLocalizer(bundle, lang)}
		slices.Sort(c.keys[lang])
	}
	return c, nil
}

// In gives the printer of the language nearest to the wish (zh, zh_TW, zh-Hans and LANG values such as zh_CN.UTF-8 are Chinese;
// whatever is unknown is English).
func (c *Catalog) In(wish string) Printer { return c.printers[c.Match(wish)] }

// Match names the product's language nearest to the wish.
func (c *Catalog) Match(wish string) string {
	wish, _, _ = strings.Cut(wish, ".")
	if p, ok := c.printers[wish]; ok {
		return p.lang
	}
	if strings.HasPrefix(strings.ToLower(wish), "zh") {
		return Chinese
	}
	return English
}

// Keys lists the message keys of a language in order.
func (c *Catalog) Keys(lang string) []string { return c.keys[lang] }

// Has reports whether the key exists.
func (c *Catalog) Has(key string) bool {
	_, ok := slices.BinarySearch(c.keys[English], key)
	return ok
}

// Lang is the printer's language.
func (p Printer) Lang() string { return p.lang }

// T is the sentence of key with its placeholders filled from args (name and value in turn). A "Count" argument chooses the plural
// form. Values go in once, as plain text; a value is never read as a template.
func (p Printer) T(key string, args ...any) string {
	data := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		data[fmt.Sprint(args[i])] = args[i+1]
	}
	return p.With(key, data)
}

// With is T with the placeholders in a map.
func (p Printer) With(key string, data map[string]any) string {
	cfg := &goi18n.LocalizeConfig{MessageID: key, TemplateData: data}
	if n, ok := data["Count"]; ok {
		cfg.PluralCount = n // go-i18n does not look for it in the template data
	}
	text, err := p.loc.Localize(cfg)
	if err != nil && text == "" {
		return key // a test proves that every key used exists; a person still sees something that can be searched for
	}
	return text
}
