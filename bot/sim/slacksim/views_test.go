package slacksim

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestATriggerOpensOneModalWithinThreeSeconds(t *testing.T) {
	w := newOffice(t, nil)
	open := func(trigger string) obj {
		return w.api(t, "views.open", obj{"trigger_id": trigger, "view": modal(textInput("b"))})
	}
	fresh := w.trigger(t)
	wantError(t, "a fresh trigger", open(fresh), "")
	wantError(t, "a used trigger", open(fresh), "exchanged_trigger_id")
	wantError(t, "an invented trigger", open("1.2.3"), "invalid_trigger_id")
	wantError(t, "no trigger", open(""), "invalid_arguments")
	atLimit := w.trigger(t)
	w.Advance(3 * time.Second)
	wantError(t, "a trigger after exactly 3 s", open(atLimit), "")
	late := w.trigger(t)
	w.Advance(3*time.Second + time.Millisecond)
	wantError(t, "a trigger after more than 3 s", open(late), "expired_trigger_id")
}

func TestAnInvalidViewDoesNotUseTheTriggerUp(t *testing.T) {
	w := newOffice(t, nil)
	trigger := w.trigger(t)
	got := w.api(t, "views.open", obj{"trigger_id": trigger, "view": obj{"type": "modal", "blocks": []any{section("x")}}})
	wantError(t, "a view without a title", got, "invalid_arguments")
	meta, _ := got["response_metadata"].(map[string]any)
	want := []any{"[ERROR] missing required field: title [json-pointer:/view]"}
	if d := cmp.Diff(want, meta["messages"]); d != "" {
		t.Errorf("the messages differ from Slack's (-want +got):\n%s", d)
	}
	wantError(t, "the same trigger with a good view", w.api(t, "views.open", obj{"trigger_id": trigger, "view": modal(section("x"))}), "")
}

// openModal opens a modal for Lin and returns its id.
func (w *office) openModal(t *testing.T, v obj) string {
	t.Helper()
	got := w.api(t, "views.open", obj{"trigger_id": w.trigger(t), "view": v})
	wantError(t, "opening a modal", got, "")
	return w.Views(w.lin)[0].ID
}

func TestThreeModalsStackAndNoMore(t *testing.T) {
	w := newOffice(t, quiet)
	wantError(t, "a push without a modal",
		w.api(t, "views.push", obj{"trigger_id": w.trigger(t), "view": modal(section("x"))}), "not_found")
	w.openModal(t, modal(inActions(button(obj{"action_id": "more"}))...))
	push := func() obj {
		views := w.Views(w.lin)
		if _, err := w.Click(w.lin, Place{View: views[len(views)-1].ID}, Press{Action: "more"}); err != nil {
			t.Fatal(err)
		}
		trigger, _ := w.bot.last(t).payload(t)["trigger_id"].(string)
		return w.api(t, "views.push", obj{"trigger_id": trigger, "view": modal(inActions(button(obj{"action_id": "more"}))...)})
	}
	wantError(t, "the second modal", push(), "")
	wantError(t, "the third modal", push(), "")
	wantError(t, "the fourth modal", push(), "push_limit_reached")
	views := w.Views(w.lin)
	if len(views) != 3 || views[2].PreviousID != views[1].ID || views[2].RootID != views[0].ID {
		t.Errorf("the stack is not three modals that know their root and predecessor: %+v", views)
	}
	if _, err := w.CloseView(w.lin, views[0].ID, false); err == nil {
		t.Error("a modal below another can be closed")
	}
	if _, err := w.CloseView(w.lin, views[2].ID, false); err != nil || len(w.Views(w.lin)) != 2 {
		t.Errorf("closing the top leaves %d modals (%v), want 2", len(w.Views(w.lin)), err)
	}
	if _, err := w.CloseView(w.lin, views[1].ID, true); err != nil || len(w.Views(w.lin)) != 0 {
		t.Errorf("closing all leaves %d modals (%v), want none", len(w.Views(w.lin)), err)
	}
}

func TestUpdateFindsViewsByIDOrExternalIDAndGuardsByHash(t *testing.T) {
	w := newOffice(t, quiet)
	first := modal(textInput("b"))
	first["external_id"] = "praise-1"
	id := w.openModal(t, first)
	hash := w.Views(w.lin)[0].Hash
	next := modal(textInput("b"), section("more"))
	next["external_id"] = "praise-1"
	for _, c := range []struct {
		what string
		body obj
		want string
	}{
		{"by id with the right hash", obj{"view_id": id, "hash": hash, "view": next}, ""},
		{"with the old hash", obj{"view_id": id, "hash": hash, "view": next}, "hash_conflict"},
		{"by external_id", obj{"external_id": "praise-1", "view": next}, ""},
		{"an unknown id", obj{"view_id": "V0NOWHERE1", "view": next}, "not_found"},
		{"an unknown external_id", obj{"external_id": "praise-2", "view": next}, "not_found"},
		{"neither", obj{"view": next}, "invalid_arguments"},
		{"a view that is a home", obj{"view_id": id, "view": obj{"type": "home", "blocks": []any{section("x")}}}, "invalid_arguments"},
	} {
		wantError(t, "updating "+c.what, w.api(t, "views.update", c.body), c.want)
	}
	twin := modal(section("x"))
	twin["external_id"] = "praise-1"
	w.Reload(w.lin)
	wantError(t, "updating a closed view", w.api(t, "views.update", obj{"view_id": id, "view": next}), "not_found")
	w.openModal(t, twin)
	if _, err := w.Slash(w.kai, w.general, "/praise", ""); err != nil {
		t.Fatal(err)
	}
	trigger := w.bot.last(t).form(t).Get("trigger_id")
	wantError(t, "an external_id that is in use", w.api(t, "views.open", obj{"trigger_id": trigger, "view": twin}), "duplicate_external_id")
}

func TestAViewOf250KilobytesIsTooLarge(t *testing.T) {
	w := newOffice(t, quiet)
	sized := func(n int) obj {
		v := modal(times(90, func(int) any { return section(strings.Repeat("x", 2700)) })...)
		v["private_metadata"] = ""
		v["private_metadata"] = strings.Repeat("x", n-len(encodeJSON(v)))
		return v
	}
	wantError(t, "250,000 bytes", w.api(t, "views.open", obj{"trigger_id": w.trigger(t), "view": sized(250_000)}), "")
	wantError(t, "250,001 bytes", w.api(t, "views.open", obj{"trigger_id": w.trigger(t), "view": sized(250_001)}), "view_too_large")
}

func TestAnUpdateKeepsWhatWasTypedWhereTheFieldStays(t *testing.T) {
	w := newOffice(t, quiet)
	v := modal(textInput("b"), textInput("c"))
	v["blocks"] = append(v["blocks"].([]any), inActions(button(obj{"action_id": "go"}))...)
	id := w.openModal(t, v)
	typed := map[string]map[string]Input{"b": {"a": {"kept"}}, "c": {"a": {"lost"}}}
	if _, err := w.Click(w.lin, Place{View: id}, Press{Action: "go", Values: typed}); err != nil {
		t.Fatal(err)
	}
	wantError(t, "the update", w.api(t, "views.update", obj{"view_id": id, "view": modal(textInput("b"), textInput("d"))}), "")
	want := map[string]map[string]Input{"b": {"a": {"kept"}}, "d": {"a": nil}}
	if d := cmp.Diff(want, w.Views(w.lin)[0].Values); d != "" {
		t.Errorf("the fields hold something else (-want +got):\n%s", d)
	}
}

func TestPublishReplacesTheHomeTab(t *testing.T) {
	w := newOffice(t, quiet)
	gone := w.AddPerson(Person{Handle: "gone", Deleted: true}).ID
	home := func(text string) obj { return obj{"type": "home", "blocks": []any{section(text)}} }
	first := w.api(t, "views.publish", obj{"user_id": w.lin, "view": home("one")})
	wantError(t, "the first publication", first, "")
	hash := first["view"].(map[string]any)["hash"]
	for _, c := range []struct {
		what string
		body obj
		want string
	}{
		{"with the right hash", obj{"user_id": w.lin, "hash": hash, "view": home("two")}, ""},
		{"with the old hash", obj{"user_id": w.lin, "hash": hash, "view": home("three")}, "hash_conflict"},
		{"a modal", obj{"user_id": w.lin, "view": modal(section("x"))}, "invalid_arguments"},
		{"for nobody", obj{"view": home("x")}, "invalid_arguments"},
		{"for a stranger", obj{"user_id": "U0NOBODY01", "view": home("x")}, "invalid_arguments"},
		{"for a deactivated member", obj{"user_id": gone, "view": home("x")}, "invalid_arguments"},
	} {
		wantError(t, "publishing "+c.what, w.api(t, "views.publish", c.body), c.want)
	}
	v, published := w.Home(w.lin)
	if !published || !strings.Contains(string(v.Blocks), "two") {
		t.Errorf("the home tab is %s", v.Blocks)
	}
	if _, published := w.Home(w.kai); published {
		t.Error("Kai has a home tab that was published for Lin")
	}
	if _, err := w.OpenHome(w.lin); err != nil {
		t.Fatal(err)
	}
	event, _ := w.bot.last(t).payload(t)["event"].(map[string]any)
	shown, _ := event["view"].(map[string]any)
	if event["type"] != "app_home_opened" || event["tab"] != "home" || shown["id"] != v.ID {
		t.Errorf("opening the home tab sends %s", encodeJSON(event))
	}
	off := newOffice(t, func(o *Options) { o.NoHomeTab = true })
	wantError(t, "publishing without a home tab", off.api(t, "views.publish", obj{"user_id": off.lin, "view": home("x")}), "not_enabled")
}
