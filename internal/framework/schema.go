package framework

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/errs"
)

// The limits of a pack's parts, in characters and elements. They bound what a
// page has to show; Read bounds what a file may cost.
const (
	maxText      = 4_000 // a text: question, measure, descriptor …
	maxLine      = 200   // a title, a scale level, a version, an id
	maxLanguages = 24    // of a pack
	maxIDs       = 100   // of one crosswalk of one outcome
)

// Markings returns the TLP 2.0 labels, the least restrictive first.
func Markings() []string {
	return []string{"TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"}
}

var (
	idSyntax       = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	areaSyntax     = regexp.MustCompile(`^[A-Z][A-Z0-9]{0,7}$`)
	outcomeSyntax  = regexp.MustCompile(`^[A-Z][A-Z0-9]{0,7}\.[1-9][0-9]{0,2}$`)
	languageSyntax = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)
	licenceSyntax  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+-]*( (AND|OR|WITH) [A-Za-z0-9][A-Za-z0-9.+-]*)*$`)
	semverSyntax   = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})` +
		`(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?$`)
)

// MaxID is how many characters a pack's id may have.
const MaxID = 64

func isID(s string) bool { return len(s) <= MaxID && idSyntax.MatchString(s) }

const (
	allowedID      = "lower-case letters and digits in words joined by hyphens, at most 64, such as muster-core"
	allowedVersion = "a semantic version without build metadata, such as 1.0.0 or 2.0.0-rc.1"
)

// pack reads the root of a file. The result is complete if there are no faults.
func (c *checker) pack(root *yaml.Node) *Pack {
	if !c.format(root) {
		return nil
	}
	var format, id, version, marking, licence, languages, answeredBy, audience, beginWith *yaml.Node
	var title, summary, scale, rollUp, crosswalks, areas *yaml.Node
	c.object(root, need("format", &format), need("id", &id), need("version", &version), need("marking", &marking),
		need("licence", &licence), need("languages", &languages), may("answered_by", &answeredBy), may("audience", &audience), may("begin_with", &beginWith),
		need("title", &title), need("summary", &summary), need("scale", &scale), need("roll_up", &rollUp),
		may("crosswalks", &crosswalks), need("areas", &areas))
	p := &Pack{}
	p.ID, _ = c.word("id", id, isID, allowedID)
	p.Version, _ = c.word("version", version, semverSyntax.MatchString, allowedVersion)
	p.Marking, _ = c.word("marking", marking, func(s string) bool { return slices.Contains(Markings(), s) },
		strings.Join(Markings(), ", "))
	p.Licence, _ = c.word("licence", licence, licenceSyntax.MatchString, "an SPDX licence expression, such as Apache-2.0")
	p.Languages = c.languageList(languages)
	c.languages = p.Languages // texts before this line would be checked against nothing
	c.answerer(p, root, answeredBy, audience)
	p.Title = c.text("title", title, maxLine)
	p.Summary = c.text("summary", summary, maxText)
	p.Scale = c.scale(scale)
	p.RollUp = c.rollUp(rollUp)
	p.Crosswalks = c.crosswalks(crosswalks)
	faults := len(c.faults)
	p.Areas = c.areas(areas, p.Crosswalks)
	p.BeginWith = c.beginWith(beginWith, p, len(c.faults) == faults)
	return p
}

// beginWith reads the outcomes that say most, after the outcomes themselves; whole says
// that these had no fault, so that each is known.
func (c *checker) beginWith(n *yaml.Node, p *Pack, whole bool) []string {
	if n == nil {
		return nil
	}
	nodes := c.list("begin_with", n, "ids of outcomes")
	if len(nodes) > maxIDs {
		c.fault(n, fmt.Sprintf("%d ids", len(nodes)), fmt.Sprintf("at most %d", maxIDs))
		return nil
	}
	var list []string
	c.push("begin_with")
	defer c.pop()
	for i, node := range nodes {
		c.pushIndex(i)
		if id, ok := c.scalar(node, maxLine); ok {
			switch _, there := p.Outcome(id); {
			case !there && whole:
				c.fault(node, "there is no outcome "+errs.Quote(id), "the id of an outcome of this pack")
			case slices.Contains(list, id):
				c.fault(node, "outcome "+errs.Quote(id)+" appears twice", "each outcome once")
			default:
				list = append(list, id)
			}
		}
		c.pop()
	}
	return list
}

// format reports whether the file is of the one format that can be read. Of any
// other nothing more is said: its keys may mean something else.
func (c *checker) format(root *yaml.Node) bool {
	if root.Kind != yaml.MappingNode {
		c.fault(root, kindOf(root)+" where a pack is wanted", "a mapping that begins with format: "+Format)
		return false
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if key.Value != "format" || key.Kind != yaml.ScalarNode {
			continue
		}
		if value.Kind == yaml.ScalarNode && value.Value == Format {
			return true
		}
		c.push("format")
		defer c.pop()
		version, isPack := strings.CutPrefix(value.Value, "muster-pack/")
		if n, err := strconv.Atoi(version); isPack && err == nil && n > 1 {
			c.fault(value, "pack format "+errs.Quote(value.Value)+" is newer than this version of muster reads",
				Format+"; or upgrade muster")
			return false
		}
		c.fault(value, "pack format "+errs.Quote(value.Value)+" is unknown", Format)
		return false
	}
	c.fault(root, `key "format" is missing, so this is not a pack`, "format: "+Format)
	return false
}

func (c *checker) languageList(n *yaml.Node) []string {
	var list []string
	faults := len(c.faults)
	nodes := c.list("languages", n, "language tags, such as [en, fr]")
	if len(nodes) > maxLanguages {
		c.fault(n, fmt.Sprintf("%d languages", len(nodes)), fmt.Sprintf("at most %d", maxLanguages))
		return nil
	}
	c.push("languages")
	defer c.pop()
	for i, node := range nodes {
		c.pushIndex(i)
		language, ok := c.scalar(node, maxLine)
		switch {
		case !ok:
		case !languageSyntax.MatchString(language):
			c.fault(node, errs.Quote(language)+" is not a language tag", "such as en, fr, pt-BR, sr-Latn")
		case slices.Contains(list, language):
			c.fault(node, "language "+errs.Quote(language)+" appears twice", "each language once")
		default:
			list = append(list, language)
		}
		c.pop()
	}
	if len(c.faults) > faults {
		return nil // or every text would be at fault for it
	}
	return list
}

// answerer reads who answers a pack and who may read single answers. One without
// the other is a fault: what members answer is never shown one by one, and what
// the coordinator answers is shown to somebody.
func (c *checker) answerer(p *Pack, root, by, audience *yaml.Node) {
	p.AnsweredBy, _ = c.word("answered_by", by, func(s string) bool { return s == ByCoordinator },
		ByCoordinator+"; or leave the key out, if every member answers")
	p.Audience, _ = c.word("audience", audience, func(s string) bool { return slices.Contains(Audiences(), s) },
		strings.Join(Audiences(), ", "))
	switch {
	case by == nil && audience != nil:
		c.fault(audience, `"audience" without "answered_by"`, "both keys, or neither")
	case by != nil && audience == nil:
		c.fault(root, `key "audience" is missing, which goes with "answered_by"`, strings.Join(Audiences(), ", "))
	}
}

func (c *checker) scale(n *yaml.Node) (s Scale) {
	if n == nil {
		return s
	}
	c.push("scale")
	defer c.pop()
	var houseRule, levels *yaml.Node
	if !c.object(n, need("house_rule", &houseRule), need("levels", &levels)) {
		return s
	}
	s.HouseRule = c.text("house_rule", houseRule, maxText)
	s.Levels = c.five("levels", levels, "", maxLine)
	return s
}

// five reads the texts of levels 0 to 4: the scale's if outcome is empty, else
// the outcome's descriptors. No two of a pack may be equal in one language.
func (c *checker) five(name string, n *yaml.Node, outcome string, limit int) (texts [Descriptors]Text) {
	if n == nil {
		return texts
	}
	nodes := c.list(name, n, "five texts, for levels 0 to 4")
	c.push(name)
	defer c.pop()
	if len(nodes) > 0 && len(nodes) != Descriptors {
		c.fault(n, count(len(nodes), "text")+" where five are wanted", "one for each of levels 0, 1, 2, 3, 4")
	}
	for i, node := range nodes[:min(len(nodes), Descriptors)] {
		c.pushIndex(i)
		texts[i] = c.textHere(node, limit, &saying{outcome: outcome, level: i})
		c.pop()
	}
	return texts
}

// sayOnce reports a sentence that was said before.
func (c *checker) sayOnce(n *yaml.Node, s sentence, here saying) {
	first, ok := c.said[s]
	if !ok {
		here.line, here.column = n.Line, n.Column
		c.said[s] = here
		return
	}
	c.fault(n, fmt.Sprintf("the text repeats that of %s on line %d", first.field(), first.line), "a text of its own")
}

func (c *checker) rollUp(n *yaml.Node) (r RollUp) {
	if n == nil {
		return r
	}
	c.push("roll_up")
	defer c.pop()
	var rule, percent, text *yaml.Node
	if !c.object(n, need("rule", &rule), need("percent", &percent), need("text", &text)) {
		return r
	}
	r.Rule, _ = c.word("rule", rule, func(s string) bool { return s == ShareOfScope }, ShareOfScope)
	r.Percent = c.percent("percent", percent)
	r.Text = c.text("text", text, maxText)
	return r
}

func (c *checker) percent(name string, n *yaml.Node) int {
	if n == nil {
		return 0
	}
	c.push(name)
	defer c.pop()
	const allowed = "a whole number from 1 to 100, without quotes"
	if !c.plainNode(n) {
		return 0
	}
	if n.Kind != yaml.ScalarNode {
		c.fault(n, kindOf(n)+" where a number is wanted", allowed)
		return 0
	}
	number, err := strconv.Atoi(n.Value)
	if err != nil || n.Style != 0 || number < 1 || number > 100 || strconv.Itoa(number) != n.Value {
		c.fault(n, errs.Quote(n.Value)+" is not a percentage", allowed)
		return 0
	}
	return number
}

func (c *checker) crosswalks(n *yaml.Node) map[string]Crosswalk {
	if n == nil {
		return nil
	}
	c.push("crosswalks")
	defer c.pop()
	if !c.plainNode(n) {
		return nil
	}
	const allowed = "a key for each framework, such as csf: {title: …, version: …}"
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		c.fault(n, kindOf(n)+" where the frameworks of the crosswalk are wanted", allowed+"; or leave the key out")
		return nil
	}
	all := make(map[string]Crosswalk, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !c.keyNode(key) {
			continue
		}
		if !isID(key.Value) || readsAs(key) != "" && key.Style == 0 {
			c.fault(key, "crosswalk key "+errs.Quote(key.Value)+" is not allowed", allowedID)
		}
		if _, ok := all[key.Value]; ok {
			c.fault(key, "crosswalk "+errs.Quote(key.Value)+" appears twice", "each key once")
		}
		c.push(key.Value)
		var walk Crosswalk
		var title, version *yaml.Node
		if c.object(value, need("title", &title), need("version", &version)) {
			anything := func(string) bool { return true }
			walk.Title, _ = c.word("title", title, anything, "")
			walk.Version, _ = c.word("version", version, anything, "")
		}
		c.pop()
		all[key.Value] = walk
	}
	return all
}

func (c *checker) areas(n *yaml.Node, walks map[string]Crosswalk) []Area {
	nodes := c.list("areas", n, "areas")
	c.push("areas")
	defer c.pop()
	all := make([]Area, 0, len(nodes))
	lines := map[string]int{}
	for i, node := range nodes {
		if c.full() {
			break
		}
		c.pushIndex(i)
		all = append(all, c.area(node, walks, lines))
		c.pop()
	}
	return all
}

// area reads one area; lines holds the line of every area's and outcome's id so far.
func (c *checker) area(n *yaml.Node, walks map[string]Crosswalk, lines map[string]int) (a Area) {
	var id, title, summary, outcomes *yaml.Node
	if !c.object(n, need("id", &id), need("title", &title), need("summary", &summary), need("outcomes", &outcomes)) {
		return a
	}
	var ok bool
	if a.ID, ok = c.word("id", id, areaSyntax.MatchString,
		"a capital letter, then capital letters and digits, at most 8 in all, such as A1"); ok {
		c.once(id, a.ID, lines)
		c.nameTop(a.ID)
	}
	a.Title = c.text("title", title, maxLine)
	a.Summary = c.text("summary", summary, maxText)
	nodes := c.list("outcomes", outcomes, "outcomes")
	a.Outcomes = make([]Outcome, 0, len(nodes))
	c.push("outcomes")
	defer c.pop()
	for i, node := range nodes {
		if c.full() {
			break
		}
		c.pushIndex(i)
		a.Outcomes = append(a.Outcomes, c.outcome(node, a.ID, walks, lines))
		c.pop()
	}
	return a
}

func (c *checker) once(n *yaml.Node, id string, lines map[string]int) {
	if line, ok := lines[id]; ok {
		c.push("id")
		c.fault(n, fmt.Sprintf("id %s is taken on line %d", errs.Quote(id), line), "each id once")
		c.pop()
		return
	}
	lines[id] = n.Line
}

func (c *checker) outcome(n *yaml.Node, area string, walks map[string]Crosswalk, lines map[string]int) (o Outcome) {
	var id, title, question, measure, descriptors, evidence, why, notApplicable, crosswalk *yaml.Node
	if !c.object(n, need("id", &id), need("title", &title), need("question", &question), need("measure", &measure),
		may("descriptors", &descriptors), need("evidence", &evidence), need("why", &why),
		may("not_applicable", &notApplicable), may("crosswalk", &crosswalk)) {
		return o
	}
	allowed := "the area's id, a dot and a number from 1 to 999, such as A1.3 in area A1"
	if area != "" {
		allowed = area + ".1 to " + area + ".999"
	}
	below := func(s string) bool {
		return outcomeSyntax.MatchString(s) && (area == "" || strings.HasPrefix(s, area+"."))
	}
	var ok bool
	if o.ID, ok = c.word("id", id, below, allowed); ok {
		c.once(id, o.ID, lines)
		c.nameTop(o.ID)
	}
	o.Title = c.text("title", title, maxLine)
	o.Question = c.text("question", question, maxText)
	o.Measure = c.text("measure", measure, maxText)
	o.Descriptors = c.five("descriptors", descriptors, cmp.Or(o.ID, "another outcome"), maxText)
	if descriptors == nil {
		c.warn(n, "no descriptors of its own, so the levels of the scale stand in for them", "descriptors, five texts for levels 0 to 4")
	}
	o.Evidence = c.text("evidence", evidence, maxText)
	o.Why = c.text("why", why, maxText)
	o.NotApplicable = c.text("not_applicable", notApplicable, maxText)
	o.Crosswalk = c.crosswalk(crosswalk, walks)
	return o
}

func (c *checker) crosswalk(n *yaml.Node, walks map[string]Crosswalk) map[string][]string {
	if n == nil {
		return nil
	}
	c.push("crosswalk")
	defer c.pop()
	if !c.plainNode(n) {
		return nil
	}
	allowed := func() string {
		if len(walks) == 0 {
			return "nothing, because the pack declares no crosswalks"
		}
		return "ids by key of crosswalks: " + strings.Join(slices.Sorted(maps.Keys(walks)), ", ")
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		c.fault(n, kindOf(n)+" where a crosswalk is wanted", allowed()+"; or leave the key out")
		return nil
	}
	all := make(map[string][]string, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !c.keyNode(key) {
			continue
		}
		if _, ok := walks[key.Value]; !ok {
			c.fault(key, "unknown crosswalk "+errs.Quote(key.Value), allowed())
			continue
		}
		if _, ok := all[key.Value]; ok {
			c.fault(key, "crosswalk "+errs.Quote(key.Value)+" appears twice", "each key once")
			continue
		}
		all[key.Value] = c.crosswalkIDs(key.Value, value)
	}
	return all
}

func (c *checker) crosswalkIDs(name string, n *yaml.Node) []string {
	nodes := c.list(name, n, "ids")
	if len(nodes) > maxIDs {
		c.fault(n, fmt.Sprintf("%d ids", len(nodes)), fmt.Sprintf("at most %d", maxIDs))
		return nil
	}
	ids := make([]string, 0, len(nodes))
	c.push(name)
	defer c.pop()
	for i, node := range nodes {
		c.pushIndex(i)
		if id, ok := c.scalar(node, maxLine); ok {
			if slices.Contains(ids, id) {
				c.fault(node, "id "+errs.Quote(id)+" appears twice", "each id once")
			}
			ids = append(ids, id)
		}
		c.pop()
	}
	return ids
}

// IsOutcomeID reports whether id has the syntax of an outcome's id, such as
// "A1.3", whichever pack it may be of.
func IsOutcomeID(id string) bool { return outcomeSyntax.MatchString(id) }
