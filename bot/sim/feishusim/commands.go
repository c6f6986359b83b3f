package feishusim

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"huiyin/bot/sim/backstage"
)

// maxCommands is per app; the vendor's documents do not say so, its refusals do.
const maxCommands = 100

// Command is a registered slash command, as the composer lists it. Choosing one only puts "/name " into the composer: it
// arrives as an ordinary text message.
type Command struct {
	ID          string            `json:"command_id"`
	Name        string            `json:"command"` // without its slash
	Description string            `json:"description"`
	I18n        map[string]string `json:"i18n,omitempty"` // zh_cn, en_us, …
	IconKey     string            `json:"icon_key,omitempty"`
	created     time.Time
	updated     time.Time
}

// Commands returns the registered slash commands in the order of their registration.
func (s *Server) Commands() []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Command
	for _, c := range s.world.commands {
		copied := *c
		copied.I18n = maps.Clone(c.I18n)
		out = append(out, copied)
	}
	return out
}

var (
	commandName = regexp.MustCompile(`^/?[A-Za-z0-9_-]{1,64}$`)
	locales     = []string{
		"zh_cn", "en_us", "ja_jp", "zh_hk", "zh_tw", "de_de", "es_es", "fr_fr", "hi_in", "id_id", "it_it", "ko_kr", "pt_br", "ru_ru",
		"th_th", "vi_vn", "ms_my",
	}
)

// readCommand takes name, description and icon of a command from a body; what is absent stays.
func readCommand(q request, into *Command) *answer {
	refuse := func(field, why string) *answer {
		a := invalid(field, why)
		return &a
	}
	if v, given := q.json["command"]; given {
		name, isString := v.(string)
		if !isString || !commandName.MatchString(name) {
			return refuse("command", "command must be letters, digits and underscores")
		}
		into.Name = strings.TrimPrefix(name, "/")
	}
	if v, given := q.json["description"]; given {
		d, isObject := v.(map[string]any)
		text, isString := d["default_value"].(string)
		if !isObject || !isString || backstage.Blank(text) {
			return refuse("description.default_value", "default_value is required")
		}
		into.Description, into.I18n = text, map[string]string{}
		i18n, _ := d["i18n"].(map[string]any)
		for k, v := range i18n {
			t, isString := v.(string)
			if !isString || !slices.Contains(locales, k) {
				return refuse("description.i18n", "unknown language")
			}
			into.I18n[k] = t
		}
	}
	if v, given := q.json["icon"]; given {
		icon, _ := v.(map[string]any)
		key, isString := icon["icon_key"].(string)
		if !isString || key == "" {
			a := fail(40000031, "icon_key is invalid")
			return &a
		}
		into.IconKey = key
	}
	return nil
}

func commandCreate(s *Server, q request) answer {
	c := &Command{created: s.now(), updated: s.now()}
	if refusal := readCommand(q, c); refusal != nil {
		return *refusal
	}
	switch {
	case c.Name == "":
		return invalid("command", "command is required")
	case c.Description == "":
		return invalid("description", "description is required")
	case s.commandNamed(c.Name) != nil:
		return fail(40000020, "the command already exists")
	case len(s.world.commands) >= maxCommands:
		return fail(40000021, "the number of commands exceeds the limit")
	}
	c.ID = s.world.id("")
	s.world.commands = append(s.world.commands, c)
	return answer{data: map[string]any{"command_id": c.ID}, after: func() { s.change(Change{Kind: ChangeCommands}) }}
}

func (s *Server) commandNamed(name string) *Command {
	for _, c := range s.world.commands {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func commandList(s *Server, _ request) answer {
	items := []any{}
	for _, c := range s.world.commands {
		item := map[string]any{
			"command_id": c.ID, "command": c.Name, "description": map[string]any{"default_value": c.Description, "i18n": c.I18n},
			"create_time": millis(c.created), "update_time": millis(c.updated),
		}
		if c.IconKey != "" {
			item["icon"] = map[string]any{"icon_key": c.IconKey}
		}
		items = append(items, item)
	}
	return ok(map[string]any{"items": items})
}

func commandPatch(s *Server, q request) answer {
	for _, c := range s.world.commands {
		if c.ID != q.path["command_id"] {
			continue
		}
		changed := *c
		if refusal := readCommand(q, &changed); refusal != nil {
			return *refusal
		}
		if other := s.commandNamed(changed.Name); other != nil && other != c {
			return fail(40000020, "the command already exists")
		}
		changed.updated = s.now()
		*c = changed
		return answer{after: func() { s.change(Change{Kind: ChangeCommands}) }}
	}
	return fail(40000022, "the command does not exist")
}

func commandDelete(s *Server, q request) answer {
	n := len(s.world.commands)
	s.world.commands = slices.DeleteFunc(s.world.commands, func(c *Command) bool { return c.ID == q.path["command_id"] })
	if len(s.world.commands) == n {
		return fail(40000022, "the command does not exist")
	}
	return answer{after: func() { s.change(Change{Kind: ChangeCommands}) }}
}
