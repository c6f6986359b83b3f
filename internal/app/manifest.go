package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"huiyin/bot/dialog"
	"huiyin/bot/dingtalk"
	"huiyin/bot/feishu"
	"huiyin/bot/slack"
	"huiyin/internal/config"
	"huiyin/internal/fault"
	"huiyin/internal/i18n"
)

// manifestSlack is huiyin manifest slack [--socket].
func manifestSlack(set *flag.FlagSet) action {
	socket := set.Bool("socket", false, "cli.manifest_slack.flag.socket")
	return func(_ context.Context, c *console, _ []string) error {
		cfg, err := config.Load(c.getenv)
		if err != nil {
			return err
		}
		say := c.catalog.In(cfg.Lang) // what the firm will read in Slack, rather than what the operator reads here
		text, err := slack.Manifest(say, slashCommands(say), cfg.PublicURL, *socket || cfg.Slack.AppToken.Set())
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s", text)
		return nil
	}
}

// manifestFeishu is huiyin manifest feishu [--webhook] [--apply].
func manifestFeishu(set *flag.FlagSet) action {
	webhook := set.Bool("webhook", false, "cli.manifest_feishu.flag.webhook")
	apply := set.Bool("apply", false, "cli.manifest_feishu.flag.apply")
	return func(ctx context.Context, c *console, _ []string) error {
		cfg, err := config.Load(c.getenv)
		if err != nil {
			return err
		}
		commands := feishuCommands(c.catalog, c.catalog.In(cfg.Lang)) // what the firm will read
		if !*apply {
			text, err := feishu.Manifest(c.say, commands, cfg.PublicURL, !*webhook && cfg.Feishu.Mode != feishu.ModeWebhook)
			if err == nil {
				fmt.Fprintf(c.out, "%s", text)
			}
			return err
		}
		if !cfg.Feishu.On() {
			return fault.New(fault.Invalid, "cli.manifest_feishu.off")
		}
		at, _, err := dialer{cfg: cfg, log: c.logger(cfg), now: c.now, catalog: c.catalog}.feishu()
		if err != nil {
			return err
		}
		adapter := at.adapter.(*feishu.Feishu)
		done, err := adapter.Apply(ctx, commands)
		if err = errors.Join(err, adapter.Close(ctx)); err != nil {
			return err
		}
		c.tell("cli.manifest_feishu.applied", "Made", len(done.Made), "Changed", len(done.Changed), "Removed", len(done.Removed), "Kept", len(done.Kept))
		return nil
	}
}

// feishuCommands are the table of commands as Feishu lists them. Those that need no words stand in the bot's menu as well.
func feishuCommands(catalog *i18n.Catalog, say i18n.Printer) []feishu.ManifestCommand {
	var out []feishu.ManifestCommand
	for n, c := range slashCommands(say) {
		in := map[string]string{}
		for _, lang := range i18n.Languages() {
			in[lang] = slashCommands(catalog.In(lang))[n].Summary
		}
		menu := slices.Contains([]string{dialog.Root, "praise", "feedback"}, c.Name)
		out = append(out, feishu.ManifestCommand{Name: c.Name, Summary: c.Summary, In: in, Usage: c.Usage, Menu: menu})
	}
	return out
}

// manifestDingTalk is huiyin manifest dingtalk [--webhook].
func manifestDingTalk(set *flag.FlagSet) action {
	webhook := set.Bool("webhook", false, "cli.manifest_dingtalk.flag.webhook")
	return func(_ context.Context, c *console, _ []string) error {
		cfg, err := config.Load(c.getenv)
		if err != nil {
			return err
		}
		text, err := dingtalk.Manifest(c.say, cfg.PublicURL, !*webhook && cfg.DingTalk.Mode != dingtalk.ModeWebhook)
		if err == nil {
			fmt.Fprintf(c.out, "%s", text)
		}
		return err
	}
}

// slashCommands are the root command and every row of the table of commands.
func slashCommands(say i18n.Printer) []slack.ManifestCommand {
	out := []slack.ManifestCommand{{Name: dialog.Root, Summary: say.T("cli.manifest.root"), Usage: say.T("cli.manifest.root.usage")}}
	for _, s := range dialog.Commands() {
		usage := strings.TrimSpace(following(say.T(s.Key + ".usage")))
		out = append(out, slack.ManifestCommand{Name: s.Name, Summary: say.T(s.Key + ".summary"), Usage: usage})
	}
	return out
}
