package cli

import (
	"fmt"
	"io"
	"time"

	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/silence"
)

// silenceView is a procedure as people and programs read it.
type silenceView struct {
	Procedure string          `json:"procedure"`
	Coalition string          `json:"coalition"`
	Chair     keys.Public     `json:"chair"`
	Text      silence.Subject `json:"text"`
	State     silence.State   `json:"state"`
	Until     string          `json:"until,omitempty"` // of comments or of silence
	Due       bool            `json:"due"`             // the silence is over and no outcome is stated
	Parties   []string        `json:"parties"`
	Steps     []stepLine      `json:"steps"`
	Last      string          `json:"last"` // hex SHA-256 of the last step
	Comments  []commentLine   `json:"comments"`
}

type stepLine struct {
	Number int         `json:"number"`
	Act    silence.Act `json:"act"`
	At     string      `json:"at"`
	Until  string      `json:"until,omitempty"`
	Text   string      `json:"text,omitempty"` // hex SHA-256
	Who    []string    `json:"admitted,omitempty"`
	Reason string      `json:"reason,omitempty"`
}

type commentLine struct {
	Member coalition.MemberID `json:"member"`
	About  string             `json:"about"` // hex SHA-256 of the text
	Text   string             `json:"text"`
}

func newSilenceView(chair keys.Public, p silence.Procedure, steps, comments []coalition.SignedFile) (*silenceView, error) {
	v := &silenceView{
		Procedure: p.ID, Coalition: p.Coalition, Chair: chair, Text: p.Subject, State: p.State, Last: p.Tail,
		Until: rfc3339(p.Until), Steps: []stepLine{}, Comments: []commentLine{},
	}
	for _, party := range p.Parties {
		v.Parties = append(v.Parties, string(party.Member))
	}
	for _, file := range steps {
		s, err := silence.ReadStep(file, chair)
		if err != nil {
			return nil, err
		}
		line := stepLine{Number: s.Number, Act: s.Act, At: rfc3339(s.At), Until: rfc3339(s.Until), Reason: s.Reason}
		if s.Subject != nil {
			line.Text = s.Subject.Digest
		}
		if s.Act == silence.Admit {
			for _, party := range s.Parties {
				line.Who = append(line.Who, string(party.Member))
			}
		}
		v.Steps = append(v.Steps, line)
	}
	for _, file := range comments {
		c, err := silence.ReadComment(file, &p)
		if err != nil {
			return nil, err
		}
		v.Comments = append(v.Comments, commentLine{c.Member, c.Subject, c.Text})
	}
	return v, nil
}

func rfc3339(seconds int64) string {
	if seconds == 0 {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

// write prints the view.
func (v *silenceView) write(w io.Writer) error {
	state := string(v.State)
	switch {
	case v.Due:
		state += ", and the time is over: no outcome is stated yet"
	case v.Until != "" && v.State == silence.UnderSilence:
		state += " until " + v.Until
	case v.Until != "":
		state += ", comments until " + v.Until
	}
	lines := []string{
		fmt.Sprintf("%s of %s", v.Text.Name, v.Coalition),
		"  kind       " + string(v.Text.Kind),
		"  state      " + state,
		"  text       " + v.Text.Digest,
		"  procedure  " + v.Procedure,
		fmt.Sprintf("  parties    %d: %s", len(v.Parties), someOf(v.Parties)),
		"",
	}
	for _, s := range v.Steps {
		line := fmt.Sprintf("  %3d  %s  %s", s.Number, s.At, s.Act)
		if s.Until != "" {
			line += " until " + s.Until
		}
		if s.Who != nil {
			line += " " + someOf(s.Who)
		}
		if s.Text != "" {
			line += "  " + s.Text[:16] + "…"
		}
		if s.Reason != "" {
			line += ": " + oneLine(s.Reason)
		}
		lines = append(lines, line)
	}
	if len(v.Comments) > 0 {
		lines = append(lines, "")
	}
	for _, c := range v.Comments {
		lines = append(lines, fmt.Sprintf("  %s on %s…: %s", c.Member, c.About[:16], oneLine(c.Text)))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
