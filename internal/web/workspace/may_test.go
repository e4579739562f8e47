package workspace_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// control is a form of a page as a browser would send it by one of its buttons.
type control struct {
	to   string
	form url.Values
}

// offered walks the HTML of a page and returns every form that it offers to send, once
// for each of its buttons.
func offered(t *testing.T, body string) []control {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var (
		all      []control
		action   string // of the form that is open
		open     bool
		fields   url.Values
		buttons  []control
		textarea string
		choice   string // the select that is open
	)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("the page cannot be walked: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			attr := make(map[string]string)
			for _, a := range e.Attr {
				attr[a.Name.Local] = a.Value
			}
			if begin, ok := attr["data-begin"]; ok { // what a passkey signs begins there
				all = append(all, control{begin, url.Values{}})
			}
			_, disabled := attr["disabled"]
			_, checked := attr["checked"]
			switch e.Name.Local {
			case "form":
				open, action, fields, buttons = attr["method"] == "post", attr["action"], url.Values{}, nil
			case "input":
				if attr["type"] == "file" || disabled || (attr["type"] == "radio" || attr["type"] == "checkbox") && !checked {
					break
				}
				value := attr["value"]
				if _, required := attr["required"]; required && value == "" {
					value = "something"
				}
				fields.Add(attr["name"], value)
			case "textarea":
				textarea = attr["name"]
				fields.Set(textarea, "something") // which nobody wrote before
			case "select":
				choice = attr["name"]
			case "option":
				if _, selected := attr["selected"]; selected || !fields.Has(choice) {
					fields.Set(choice, attr["value"])
				}
			case "button":
				if disabled {
					break
				}
				b := control{attr["formaction"], url.Values{}}
				if attr["name"] != "" {
					b.form.Set(attr["name"], attr["value"])
				}
				buttons = append(buttons, b)
			}
		case xml.EndElement:
			if e.Name.Local != "form" || !open {
				break
			}
			open = false
			for _, b := range buttons {
				one := control{action, url.Values{}}
				if b.to != "" {
					one.to = b.to
				}
				for name, values := range fields {
					one.form[name] = slices.Clone(values)
				}
				for name, values := range b.form {
					one.form[name] = values
				}
				all = append(all, one)
			}
		}
	}
}

// places are the pages that somebody reads, with what a query opens on them.
func places() []string {
	return []string{
		"/en/", base, base + "area/A1", base + "area/A1?one=A1.2", base + "outcome/A1.1/history", base + "bodies", base + "bodies?area=A1&edit=A1.1&body=port",
		base + "bodies?area=A1&edit=A1.1&body=grid", base + "bodies?area=A2&edit=A2.1&body=port", base + "needs", base + "needs?body=port", base + "needs?body=grid", base + "letters", base + "evidence",
		base + "verification", base + "verification?outcome=A1.2", base + "check", base + "signoff", base + "signoff/sheet", base + "sealing", base + "standing",
		base + "standing/body/port", base + "brief", base + "plan", base + "part", base + "part/area/A1", base + "part/standing",
	}
}

// mixed are people of one role, and of two and more.
func mixed() []workspace.Person {
	var all []workspace.Person
	roles := []workspace.Role{workspace.RoleContributor, workspace.RoleVerifier, workspace.RoleApprover, workspace.RoleReader}
	for set := 1; set < 1<<len(roles); set++ {
		p := workspace.Person{}
		for i, role := range roles {
			if set&(1<<i) != 0 {
				p.Roles = append(p.Roles, role)
			}
		}
		if p.Is(workspace.RoleContributor) {
			p.Bodies = []string{"port"}
		}
		if p.Is(workspace.RoleApprover) {
			p.Steps = []string{"minister"} // which is the second: it is not her turn
			if p.Is(workspace.RoleReader) {
				p.Steps = []string{"head"}
			}
		}
		p.Name = "Somebody with"
		for _, role := range p.Roles {
			p.Name += " " + string(role)
		}
		all = append(all, p)
	}
	return append(all, workspace.Lead("Lena Lead"))
}

// everything is a shared workspace with something of everything that has a form.
func everything(t *testing.T) *site {
	t.Helper()
	s := shared(t)
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(nil, s.SetChain(ctx, s.Lead, s.survey, []assess.Step{{ID: "head", Name: "The head"}, {ID: "minister", Name: "The minister"}}))
	must(s.AddReference(ctx, s.Lead, s.survey, assess.Reference{Outcome: "A1.1", Place: "plans/one.pdf"}))
	must(s.PutFinding(ctx, s.Lead, s.survey, 0, assess.Finding{Outcome: "A1.1", Seen: "the plan", Found: "it is as they say", Verified: framework.Level3, Claimed: framework.Level3}))
	must(s.PutAction(ctx, s.Lead, s.survey, "", 0, assess.Action{Outcome: "A1.1", Text: "write it down", Owner: "Bo", Due: "2032-01-01"}))
	must(s.KeepRelease(ctx, s.Lead, s.survey, workspacetest.ReleaseFile(t, s.pack, workspacetest.Cycle)))
	return s
}

// Whatever a page offers to somebody, the server lets her do: no form, button or
// passkey leads to a refusal. It is held for one of every set of roles at every page.
func TestOffersAreAllowed(t *testing.T) {
	t.Parallel()
	s := everything(t)
	for _, person := range mixed() {
		t.Run(person.Name, func(t *testing.T) {
			her := s.as(t, person)
			var offers []control
			for _, place := range places() {
				rec := her.do(httptest.NewRequest(http.MethodGet, place, nil))
				if rec.Code == http.StatusForbidden || rec.Code == http.StatusNotFound {
					continue
				}
				if rec.Code != http.StatusOK {
					t.Fatalf("%s: %d", place, rec.Code)
				}
				for _, c := range offered(t, rec.Body.String()) {
					if c.to == "" {
						t.Errorf("%s: a form does not say where it is sent", place)
					}
					offers = append(offers, c)
				}
			}
			if person.Is(workspace.RoleLead) && len(offers) < 100 {
				t.Errorf("the lead is offered %d forms: they are not found", len(offers))
			}
			if len(person.Roles) == 1 && person.Is(workspace.RoleReader) && len(offers) != 1 { // to hide the guide
				t.Errorf("who only reads is offered %d forms", len(offers))
			}
			seen := make(map[string]bool)
			for _, c := range offers {
				removes := c.form.Get("do") == "remove" || c.form.Get("remove") != ""
				key := c.to + "?" + c.form.Encode()
				if seen[key] || removes && person.Is(workspace.RoleLead) { // the others have to find it
					continue
				}
				seen[key] = true
				if rec := her.do(post(c.to, c.form)); rec.Code == http.StatusForbidden || rec.Code == http.StatusNotFound || rec.Code >= http.StatusInternalServerError {
					t.Errorf("is offered %s with %v, which is answered %d", c.to, c.form, rec.Code)
				}
			}
		})
	}
}

// Who may not do everything on a page reads in words what she can do, in both languages.
func TestMayInWords(t *testing.T) {
	t.Parallel()
	s := everything(t)
	for letter, want := range map[byte]map[string]string{
		'r': {
			"area/A1": "You read the answers here. The lead answers", "bodies": "The lead lists bodies", "evidence": "You see where evidence lies",
			"verification": "You read what the verifier has found", "signoff": "You see how far the sign-off is", "sealing": "The lead seals",
			"standing": "The lead gives the coalition", "plan": "The lead writes its lines", "brief": "The lead writes its speaking points", "needs": "Each body, or the lead",
		},
		'v': {"area/A1": "can comment on them", "evidence": "can have the evidence read again", "verification": "You keep findings and give the opinion"},
		'a': {"area/A1": "can comment on them", "signoff": "when it is your step"},
		'c': {"needs?body=port": "You fill in what your own bodies depend on"},
	} {
		for place, says := range want {
			if body := s.as(t, people()[letter]).get(t, base+place, http.StatusOK); !strings.Contains(body, says) {
				t.Errorf("%s for %c does not say %q", place, letter, says)
			}
			if body := s.get(t, base+place, http.StatusOK); strings.Contains(body, `class="small may"`) {
				t.Errorf("%s tells the lead what she may not", place)
			}
		}
	}
	// What is not offered is still read: answer, note and what the verifier found.
	body := s.as(t, people()['r']).get(t, base+"area/A1", http.StatusOK)
	for _, want := range []string{membersNote, `class="chip`, "plans/one.pdf"} {
		if !strings.Contains(body, want) {
			t.Errorf("a reader does not see %q", want)
		}
	}
}
