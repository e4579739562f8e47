package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// charterPage is a charter as people read it before they sign.
type charterPage struct {
	Coalition string                 `json:"coalition"`
	Cycle     string                 `json:"cycle"`
	Marking   string                 `json:"marking,omitempty"`
	Framework coalition.FrameworkRef `json:"framework"`
	Known     string                 `json:"known"` // whether this program brings that pack
	Blocks    int                    `json:"blocks"`
	Cohorts   []cohortLine           `json:"cohorts"`
	Opens     time.Time              `json:"opens"`
	Deadline  time.Time              `json:"deadline"`
	Wipe      time.Time              `json:"wipe"`
	Witnesses witnessLine            `json:"witnesses"`
	Parties   []partyLine            `json:"signatories"` // coordinator, Leader, Helper
	Seed      fingerprint            `json:"seed"`
	Charter   fingerprint            `json:"charter"`
	Complete  bool                   `json:"complete"`
}

type cohortLine struct {
	ID             string   `json:"id"`
	Members        []string `json:"members"`
	MinimumBatch   int      `json:"minimum_batch"`
	ReleaseMinimum int      `json:"release_minimum"`
	Released       bool     `json:"release_planned"`
}

// witnessLine is who must have seen the ledger.
type witnessLine struct {
	Threshold int      `json:"threshold"`
	Names     []string `json:"names"`
	Ledger    string   `json:"ledger,omitempty"`
}

type partyLine struct {
	Role   string      `json:"role"`
	Name   string      `json:"name"`
	URL    string      `json:"url,omitempty"`
	Card   fingerprint `json:"card"`
	Signed bool        `json:"signed"`
}

// fingerprint is a digest and its words.
type fingerprint struct {
	Digest string   `json:"digest"`
	Words  []string `json:"words"`
}

func newFingerprint(digest [sha256.Size]byte) fingerprint {
	return fingerprint{Digest: hex.EncodeToString(digest[:]), Words: keys.Words(digest)}
}

// newCharterPage reads a checked charter for the page, and its signatures.
func newCharterPage(env Env, signed coalition.SignedCharter, c coalition.Charter) (*charterPage, error) {
	list, err := signed.Signatories()
	if err != nil {
		return nil, err
	}
	leader, helper, coordinator, err := c.Cards()
	if err != nil {
		return nil, err
	}
	seed, err := hex.DecodeString(c.SeedDigest)
	if err != nil {
		return nil, err
	}
	p := &charterPage{
		Coalition: c.Coalition, Cycle: c.Cycle, Marking: c.Marking, Framework: c.Framework,
		Opens: time.Unix(c.Opens, 0).UTC(), Deadline: time.Unix(c.Deadline, 0).UTC(), Wipe: time.Unix(c.Wipe, 0).UTC(),
		Seed: newFingerprint([sha256.Size]byte(seed)), Charter: newFingerprint(sha256.Sum256(signed.Body)), Complete: missingFrom(list) == "",
	}
	p.Witnesses = witnessLine{Threshold: c.Witnesses.Threshold, Names: []string{}, Ledger: c.Witnesses.Log.Name()}
	for _, key := range c.Witnesses.Keys {
		p.Witnesses.Names = append(p.Witnesses.Names, key.Name())
	}
	p.Known, p.Blocks = knownFramework(env, c)
	for _, cohort := range c.Cohorts {
		line := cohortLine{ID: cohort.ID, MinimumBatch: cohort.MinimumBatch, ReleaseMinimum: cohort.ReleaseMinimum}
		for _, m := range cohort.Members {
			line.Members = append(line.Members, string(m.ID))
		}
		for _, id := range c.Releases {
			line.Released = line.Released || id == cohort.ID
		}
		p.Cohorts = append(p.Cohorts, line)
	}
	cards := []fingerprint{newFingerprint(coordinator.Digest()), newFingerprint(leader.Digest()), newFingerprint(helper.Digest())}
	urls := []string{"", leader.URL, helper.URL}
	for i, s := range list {
		p.Parties = append(p.Parties, partyLine{Role: s.Role, Name: s.Name, URL: urls[i], Card: cards[i], Signed: s.Signed})
	}
	return p, nil
}

// knownFramework says whether this program brings the pack that a charter asks,
// and whether the layout is the one that the pack gives.
func knownFramework(env Env, c coalition.Charter) (known string, blocks int) {
	task, err := c.OpenTask(c.Cohorts[0].ID)
	if err != nil {
		return "it cannot be read", 0
	}
	blocks = coalition.LayoutBlocks(c.Layout)
	pack, err := framework.Find(env.Packs, c.Framework.ID)
	if err != nil {
		return "this muster does not bring it: read the pack, muster framework show FILE", blocks
	}
	layout, err := framework.NewLayout(pack)
	if ref := pack.Ref(); err != nil || ref.Digest != c.Framework.Digest {
		return "not the pack of that name that this muster brings", blocks
	}
	if digest := layout.Digest(); string(digest[:]) != string(task.Configuration.TaskInfo) {
		return "the pack that this muster brings, with another layout", blocks
	}
	return "the pack that this muster brings", blocks
}

func (p *charterPage) missing() string {
	var names []string
	for _, s := range p.Parties {
		if !s.Signed {
			names = append(names, "the "+s.Role+", "+s.Name)
		}
	}
	return strings.Join(names, "; ")
}

// pageTime is how times are written: to the minute, in UTC.
const pageTime = "2006-01-02 15:04 UTC"

// pageIndent is where the right column of the page begins.
const pageIndent = "               "

// write prints the page: who, what, how many, until when, and the fingerprints.
func (p *charterPage) write(w io.Writer) error {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		for i, part := range wrap(text, 84) {
			if i > 0 {
				label = ""
			}
			fmt.Fprintf(&b, "  %-12s %s\n", label, part)
		}
	}
	words := func(f fingerprint) {
		for i := 0; i < len(f.Words); i += 4 {
			fmt.Fprintf(&b, "%s%s\n", pageIndent, strings.Join(f.Words[i:i+4], " "))
		}
	}
	title := fmt.Sprintf("Charter of %s, cycle %s", p.Coalition, p.Cycle)
	if p.Marking != "" {
		title = p.Marking + ": " + title
	}
	fmt.Fprintf(&b, "%s\n\n", title)
	line("asks", "%s %s, sealed as %d blocks; %s", p.Framework.ID, p.Framework.Version, p.Blocks, p.Known)
	for _, c := range p.Cohorts {
		line("of", "%s: %d members: %s", c.ID, len(c.Members), strings.Join(c.Members, "; "))
		line("opens totals", "when at least %d of %d took part; never for fewer", c.MinimumBatch, len(c.Members))
		if c.Released {
			line("releases", "when at least %d took part besides the hosts", c.ReleaseMinimum)
		} else {
			line("releases", "nothing: the totals stay with the coordinator")
		}
	}
	line("opens", "%s", p.Opens.Format(pageTime))
	line("deadline", "%s, %s", p.Deadline.Format(pageTime), after(p.Deadline.Sub(p.Opens)))
	line("wipe", "%s, %s: both hosts and the coordinator destroy the keys of the cycle", p.Wipe.Format(pageTime), after(p.Wipe.Sub(p.Deadline)))
	if n := len(p.Witnesses.Names); n > 0 {
		line("ledger", "%s, seen by %d of %s: %s", p.Witnesses.Ledger, p.Witnesses.Threshold, plural(n, "1 witness", "%d witnesses"), someOf(p.Witnesses.Names))
	}
	b.WriteString("\n")
	line("trust", "%s", "Answers are split into two locked halves, one for each host. Neither half says anything alone. If both hosts broke their undertaking and joined the halves, they could read the answers.")
	for _, s := range p.Parties {
		b.WriteString("\n")
		line(s.Role, "%s, %s", s.Name, map[bool]string{true: "has signed", false: "has not signed yet"}[s.Signed])
		if s.URL != "" {
			line("", "%s", s.URL)
		}
		words(s.Card)
	}
	b.WriteString("\n")
	line("seed", "%s", p.Seed.Digest)
	words(p.Seed)
	b.WriteString("\n")
	line("charter", "%s", p.Charter.Digest)
	words(p.Charter)
	_, err := io.WriteString(w, b.String())
	return err
}

// after says how long after what comes before it something is.
func after(d time.Duration) string {
	if hours := int(d / time.Hour); hours < 48 {
		return plural(hours, "1 hour later", "%d hours later")
	}
	return fmt.Sprintf("%d days later", int(d/(24*time.Hour)))
}

// parseTime reads a time of a flag: a day, which begins in UTC, or RFC 3339.
func parseTime(flag, text string) (time.Time, error) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errs.New(errs.Invalid, fmt.Sprintf("--%s cannot be %s", flag, errs.Quote(text)), "give a day such as 2026-09-30, which begins in UTC, or a time such as 2026-09-30T18:00:00Z")
}
