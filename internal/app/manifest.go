package app

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"huiyin/bot/dialog"
	"huiyin/bot/slack"
	"huiyin/internal/config"
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

// slashCommands are the root command and every row of the table of commands.
func slashCommands(say i18n.Printer) []slack.ManifestCommand {
	out := []slack.ManifestCommand{{Name: dialog.Root, Summary: say.T("cli.manifest.root"), Usage: say.T("cli.manifest.root.usage")}}
	for _, s := range dialog.Commands() {
		usage := strings.TrimSpace(following(say.T(s.Key + ".usage")))
		out = append(out, slack.ManifestCommand{Name: s.Name, Summary: say.T(s.Key + ".summary"), Usage: usage})
	}
	return out
}
