package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"muster/internal/account"
)

// eventView is what the history of people prints with --json.
type eventView struct {
	At     time.Time    `json:"at"`
	What   account.What `json:"what"`
	By     string       `json:"by"`
	Person string       `json:"person"`
	Detail string       `json:"detail,omitempty"`
	Source string       `json:"source,omitempty"`
}

// printEvents prints what happened to people.
func printEvents(ctx context.Context, env Env, people *account.Service, most int, asJSON bool) error {
	events, err := people.Events(ctx, most)
	if err != nil {
		return err
	}
	list := make([]eventView, len(events))
	for i, e := range events {
		list[i] = eventView(e)
	}
	if asJSON {
		return json.NewEncoder(env.Out).Encode(map[string]any{"events": list})
	}
	for _, e := range list {
		if _, err := fmt.Fprintln(env.Out, e.text()); err != nil {
			return err
		}
	}
	return nil
}

func (e eventView) text() string {
	line := fmt.Sprintf("%s  %s: %s", e.At.Format("2006-01-02 15:04:05 UTC"), e.Person, e.What)
	for _, more := range []string{e.Detail, e.Source} {
		if more != "" {
			line += ", " + more
		}
	}
	if e.By != e.Person {
		line += ", by " + e.By
	}
	return line
}
