package pdf

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"muster/internal/errs"
)

// Find returns the program of a Chromium: the one that is named, or the first that this
// machine has. It is NotFound, and says how to go on, if there is none.
func Find(named string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", errs.Wrap(err, errs.NotFound, fmt.Sprintf("there is no program %s", errs.Quote(named)), "name a Chromium, Chrome or Edge with --browser, or leave it out")
		}
		return path, nil
	}
	for _, name := range Candidates(runtime.GOOS, os.Getenv) {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errs.New(errs.NotFound, "a PDF that can be read by ear is printed by Chromium, Chrome or Edge, and none is found on this machine",
		"install one ("+installation(runtime.GOOS)+"), name it with --browser, or write the page with --out FILE.html and print it from any browser")
}

// Candidates returns where a system, as runtime.GOOS names it, keeps its Chromiums: names
// that are looked for on the PATH, and whole paths.
func Candidates(system string, getenv func(string) string) []string {
	switch system {
	case "windows":
		var all []string
		for _, folder := range []string{"ProgramFiles", "ProgramFiles(x86)", "LocalAppData"} {
			if root := getenv(folder); root != "" {
				for _, program := range []string{`Google\Chrome\Application\chrome.exe`, `Chromium\Application\chrome.exe`, `Microsoft\Edge\Application\msedge.exe`} {
					all = append(all, root+`\`+program)
				}
			}
		}
		return all
	case "darwin":
		var all []string
		for _, root := range []string{"/Applications", getenv("HOME") + "/Applications"} {
			for _, program := range []string{"Google Chrome", "Chromium", "Microsoft Edge"} {
				all = append(all, root+"/"+program+".app/Contents/MacOS/"+program)
			}
		}
		return all
	}
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "microsoft-edge-stable", "chrome", "headless_shell"}
}

func installation(system string) string {
	switch system {
	case "windows":
		return "Edge comes with Windows"
	case "darwin":
		return "Chrome, Chromium or Edge in Applications"
	}
	return "Debian: apt-get install chromium"
}
