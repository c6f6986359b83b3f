package people

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/width"
)

// How says by what a person was found. Lower is surer.
type How int

// The ways to find a person, the surest first. Up to ByPinyin the whole query names the person.
const (
	ByNumber      How = iota + 1 // employee number
	ByEmail                      // the person's, or a confirmed account's
	ByName                       // exact name, Chinese or English, in either order of its words
	ByDisplayName                // the name of a confirmed account
	ByPinyin                     // every syllable of the Chinese name, in either order of surname and given name
	ByInitials                   // first letters of the syllables or words
	ByPrefix                     // the beginning of a name, or one of its words
	ByTypo                       // one or two letters away from a name
)

// Candidate is a person whom a typed name may mean.
type Candidate struct {
	Person Person
	How    How
}

// Exact reports whether the whole query names the person, rather than hints at them.
func (c Candidate) Exact() bool { return c.How <= ByPinyin }

// FindOptions narrow and order what Find gives. The zero value gives up to 10.
type FindOptions struct {
	Limit int       // at most so many; 0: 10
	Near  uuid.UUID // people of this person's line and department come first among equals
}

// Sure is the person meant, when a search leaves no doubt: the query names exactly one person, or it is an employee number or an
// e-mail address. Somebody's English name may be another's pinyin; then and for every hint the choice is the person's own. A search
// with a Limit of 1 cannot tell.
func Sure(found []Candidate) (Person, bool) {
	if len(found) == 0 || !found[0].Exact() {
		return Person{}, false
	}
	if len(found) > 1 && (found[1].How == found[0].How || found[0].How > ByEmail && found[1].Exact()) {
		return Person{}, false
	}
	return found[0].Person, true
}

// Receiver is a name at the beginning of a text and the people it may mean; Found is empty for an @ that names nobody.
type Receiver struct {
	Typed string
	Found []Candidate
}

// nameIndex knows every way to write the names of active people. It is never changed.
type nameIndex struct {
	exact map[string][]named // by folded name
	keys  func() []string    // of exact, in order
}

type named struct {
	id  uuid.UUID
	how How
}

func indexNames(d *Directory, ids []uuid.UUID) *nameIndex {
	x := &nameIndex{exact: map[string][]named{}}
	x.keys = sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(x.exact)) })
	var k nameKeys
	for _, id := range ids {
		p := d.people[id]
		if p == nil || !p.Active {
			continue
		}
		k = k[:0]
		k.add(ByNumber, p.EmployeeNo)
		k.add(ByEmail, p.Email)
		for _, name := range []string{p.Name, p.NameEn} {
			k.add(ByName, wordOrders(name)...)
			k.add(ByInitials, wordInitials(name))
		}
		for _, i := range d.confirmed(p.ID) {
			k.add(ByEmail, i.Email)
			k.add(ByDisplayName, wordOrders(i.Name)...)
		}
		full, initials := spellings(p.Name)
		k.add(ByPinyin, full...)
		k.add(ByInitials, initials...)
		k.add(ByPrefix, givenName(p.Name))
		for _, key := range k {
			x.exact[key.folded] = append(x.exact[key.folded], named{id, key.how})
		}
	}
	return x
}

// nameKeys are the names of one person.
type nameKeys []nameKey

type nameKey struct {
	folded string
	how    How
}

// add files names; the surest way wins.
func (k *nameKeys) add(how How, names ...string) {
	for _, name := range names {
		folded := foldName(name)
		at := slices.IndexFunc(*k, func(known nameKey) bool { return known.folded == folded })
		switch {
		case folded == "":
		case at < 0:
			*k = append(*k, nameKey{folded, how})
		default:
			(*k)[at].how = min((*k)[at].how, how)
		}
	}
}

// lookUp calls see with whoever has that folded name.
func (d *Directory) lookUp(key string, see func(id uuid.UUID, how How)) {
	for _, n := range d.names().exact[key] {
		if !d.renamed[n.id] {
			see(n.id, n.how)
		}
	}
	if d.anew != nil {
		for _, n := range d.anew().exact[key] {
			see(n.id, n.how)
		}
	}
}

// nameLists are all folded names, in order within each list.
func (d *Directory) nameLists() [][]string {
	lists := [][]string{d.names().keys()}
	if d.anew != nil {
		lists = append(lists, d.anew().keys())
	}
	return lists
}

// foldName makes names comparable: half-width lower case without spaces, dots, hyphens, apostrophes and a leading @.
func foldName(s string) string {
	s = strings.TrimLeft(strings.TrimSpace(s), "@＠")
	if folded, ok := foldASCII(s); ok {
		return folded
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(".-'’·•_", r) {
			return -1
		}
		return r
	}, strings.ToLower(width.Fold.String(s)))
}

// foldASCII is foldName for the most of names.
func foldASCII(s string) (string, bool) {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			return "", false
		case c >= 'A' && c <= 'Z':
			out = append(out, c+'a'-'A')
		case c <= ' ' || c == '.' || c == '-' || c == '\'' || c == '_':
		default:
			out = append(out, c)
		}
	}
	return string(out), true
}

// wordOrders are the name as it is written and with its first word last: Lin Xiao and Xiao Lin.
func wordOrders(name string) []string {
	words := strings.Fields(name)
	if len(words) < 2 {
		return []string{name}
	}
	return []string{name, strings.Join(words[1:], " ") + " " + words[0], words[len(words)-1] + " " + strings.Join(words[:len(words)-1], " ")}
}

func wordInitials(name string) string {
	words := strings.Fields(name)
	if len(words) < 2 {
		return ""
	}
	var b strings.Builder
	for _, w := range words {
		r, _ := utf8.DecodeRuneInString(w)
		b.WriteRune(r)
	}
	return b.String()
}

// enoughFound is how many candidates are gathered before they are ordered and cut.
const enoughFound = 200

// Find gives the active people whom a typed name may mean, the surest first.
func (d *Directory) Find(query string, o FindOptions) []Candidate {
	if len(query) > 4*longestEmail {
		return nil
	}
	key := foldName(query)
	if key == "" {
		return nil
	}
	best := map[uuid.UUID]How{}
	see := func(key string, atLeast How) {
		d.lookUp(key, func(id uuid.UUID, how How) {
			how = max(how, atLeast)
			if known, ok := best[id]; ok && how < known || !ok && len(best) < enoughFound {
				best[id] = how
			}
		})
	}
	see(key, ByNumber)
	if len(best) == 0 {
		for _, keys := range d.nameLists() {
			at, _ := slices.BinarySearch(keys, key)
			for ; at < len(keys) && strings.HasPrefix(keys[at], key) && len(best) < enoughFound; at++ {
				see(keys[at], ByPrefix)
			}
		}
	}
	if len(best) == 0 && utf8.RuneCountInString(key) <= longestGlued {
		sounds, _ := spellings(key) // 林小 for 林晓: the usual slip of those who type by sound
		for _, sound := range sounds {
			see(sound, ByTypo)
		}
	}
	if slips := allowedSlips(key); len(best) == 0 && slips > 0 {
		for _, keys := range d.nameLists() {
			for _, k := range keys {
				if len(k) >= len(key)-slips && len(k) <= len(key)+slips && distance([]byte(key), []byte(k), slips+1) <= slips {
					see(k, ByTypo)
				}
			}
		}
	}
	return d.ranked(best, o)
}

// allowedSlips is how many letters of a typed name may be wrong. Short names and Chinese ones are too near to each other.
func allowedSlips(key string) int {
	n := utf8.RuneCountInString(key)
	switch {
	case n != len(key) || n < 4:
		return 0
	case n < 8:
		return 1
	}
	return 2
}

// ranked orders candidates: the surest first, among equals those near to somebody, then by name and number.
func (d *Directory) ranked(best map[uuid.UUID]How, o FindOptions) []Candidate {
	near, known := d.Person(o.Near)
	closeness := func(p Person) int {
		switch {
		case !known:
			return 0
		case d.InLine(near.ID, p.ID) || d.InLine(p.ID, near.ID):
			return 0
		case p.Department != "" && p.Department == near.Department:
			return 1
		}
		return 2
	}
	var out []Candidate
	for id, how := range best {
		out = append(out, Candidate{Person: *d.people[id], How: how})
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.How, b.How), cmp.Compare(closeness(a.Person), closeness(b.Person)),
			cmp.Compare(a.Person.Name, b.Person.Name), cmp.Compare(a.Person.EmployeeNo, b.Person.EmployeeNo))
	})
	limit := o.Limit
	if limit == 0 {
		limit = 10
	}
	return out[:min(limit, len(out))]
}
