package feishu

import (
	"context"
	"maps"
	"net/http"
	"strings"

	larkcore "github.com/larksuite/oapi-sdk-go/v3/core"

	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// slashCommands is where commands are registered. The SDK has models for it and no calls.
// https://open.feishu.cn/document/mcp_open_tools/agent-best-practices/agent-supports-slash-commands
const slashCommands = "/open-apis/application/v7/app_slash_commands"

// Applied is what Apply did, by names of commands.
type Applied struct{ Made, Changed, Removed, Kept []string }

// slashCommand is a registered command. Feishu writes its name with a slash, and takes it with one.
type slashCommand struct {
	ID          string      `json:"command_id,omitempty"`
	Name        string      `json:"command"`
	Description description `json:"description"`
}

type description struct {
	Default string            `json:"default_value"`
	I18n    map[string]string `json:"i18n,omitempty"`
}

func (c slashCommand) bareName() string { return strings.TrimPrefix(c.Name, "/") }

// Apply makes Feishu's list of slash commands this one: it adds what is missing, changes what is worded otherwise and removes what is
// none of ours any more. Applying the same list again changes nothing.
func (f *Feishu) Apply(ctx context.Context, commands []ManifestCommand) (Applied, error) {
	if err := fault.Join(unfit(commands)...); err != nil {
		return Applied{}, err
	}
	there, err := f.registered(ctx)
	if err != nil {
		return Applied{}, err
	}
	var out Applied
	for _, c := range commands {
		want := slashCommand{Name: "/" + c.Name, Description: describe(c)}
		has, ok := there[c.Name]
		delete(there, c.Name)
		switch {
		case !ok:
			err = f.call(ctx, request{method: http.MethodPost, path: slashCommands, body: want, once: true}, nil)
			out.Made = append(out.Made, c.Name)
		case has.Description.Default == want.Description.Default && maps.Equal(has.Description.I18n, want.Description.I18n):
			out.Kept = append(out.Kept, c.Name)
		default:
			err = f.call(ctx, has.request(http.MethodPatch, want), nil)
			out.Changed = append(out.Changed, c.Name)
		}
		if err != nil {
			return Applied{}, err
		}
	}
	for name, c := range there {
		if err := f.call(ctx, c.request(http.MethodDelete, nil), nil); err != nil {
			return Applied{}, err
		}
		out.Removed = append(out.Removed, name)
	}
	return out, nil
}

func (c slashCommand) request(method string, body any) request {
	return request{method: method, path: slashCommands + "/:command_id", params: larkcore.PathParams{"command_id": c.ID}, body: body}
}

// registered are the commands that Feishu has, by name.
func (f *Feishu) registered(ctx context.Context) (map[string]slashCommand, error) {
	out := map[string]slashCommand{}
	for next := ""; ; {
		var p struct {
			Items []slashCommand `json:"items"`
			More  bool           `json:"has_more"`
			Next  string         `json:"page_token"`
		}
		query := larkcore.QueryParams{}
		if next != "" {
			query.Set("page_token", next)
		}
		if err := f.call(ctx, request{method: http.MethodGet, path: slashCommands, query: query}, &p); err != nil {
			return nil, err
		}
		for _, c := range p.Items {
			out[c.bareName()] = c
		}
		if next = p.Next; !p.More || next == "" {
			return out, nil
		}
	}
}

// describe is a command's line in every language that it has.
func describe(c ManifestCommand) description {
	d := description{Default: orElse(cut(oneLine(c.Summary), maxHint), c.Name)}
	for lang, name := range map[string]string{i18n.Chinese: "zh_cn", i18n.English: "en_us"} {
		if line := cut(oneLine(c.In[lang]), maxHint); line != "" {
			if d.I18n == nil {
				d.I18n = map[string]string{}
			}
			d.I18n[name] = line
		}
	}
	return d
}
