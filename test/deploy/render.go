// Renders the templates of a chart as Helm does: `go run render.go FOLDER` reads what templates see,
// as JSON, from standard input, and writes {"file": "text"}. It has the functions that this chart
// uses and no others.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

type files struct{ folder string }

// Get is .Files.Get of Helm: a file that is missing is an empty text there, and an error here.
func (of files) Get(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(of.folder, name))
	return string(text), err
}

func must(err error) {
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
}

func main() {
	folder := os.Args[1]
	var seen map[string]any
	must(json.NewDecoder(os.Stdin).Decode(&seen))
	seen["Files"] = files{folder}
	all := template.New("").Option("missingkey=error").Funcs(sprig.TxtFuncMap())
	all.Funcs(template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var text bytes.Buffer
			err := all.ExecuteTemplate(&text, name, data)
			return text.String(), err
		},
		"toYaml": func(value any) (string, error) {
			text, err := yaml.Marshal(value)
			return string(bytes.TrimRight(text, "\n")), err
		},
		"required": func(message string, value any) (any, error) {
			if value == nil || value == "" {
				return nil, errors.New(message)
			}
			return value, nil
		},
	})
	paths, err := filepath.Glob(filepath.Join(folder, "templates", "*"))
	must(err)
	rendered := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		must(err)
		_, err = all.New(filepath.Base(path)).Parse(string(text))
		must(err)
	}
	for _, path := range paths {
		var text bytes.Buffer
		must(all.ExecuteTemplate(&text, filepath.Base(path), seen))
		rendered[filepath.Base(path)] = text.String()
	}
	must(json.NewEncoder(os.Stdout).Encode(rendered))
}
