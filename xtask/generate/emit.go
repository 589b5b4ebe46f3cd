package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const header = "# Written by `cargo xtask generate`; the format is described in generated.rs.\n"

func (w *walk) emit() (table, texts string) {
	var types, words strings.Builder
	types.WriteString(header)
	words.WriteString(header)
	for _, name := range slices.Sorted(maps.Keys(w.types)) {
		one := w.types[name]
		fmt.Fprintf(&words, "=%s\t\t%s\n", name, escape(one.text))
		for _, field := range one.fields {
			fmt.Fprintf(&words, "%s\t%s\t%s\n", field.json, strings.Join(field.enum, ","), escape(field.text))
		}
		if one.leaf == "" {
			types.WriteString(one.lines(name))
		}
	}
	return types.String(), words.String()
}

func (s *structure) lines(name string) string {
	var lines strings.Builder
	fmt.Fprintf(&lines, "=%s %s", name, s.goName)
	if s.atomic {
		lines.WriteString(" atomic")
	}
	lines.WriteString("\n")
	for _, field := range s.fields {
		lines.WriteString(field.line() + "\n")
	}
	return lines.String()
}

func (f *field) line() string {
	number := fmt.Sprint(f.number)
	for _, outer := range slices.Backward(f.within) {
		number = fmt.Sprintf("%d/%s", outer, number)
	}
	flags := string(f.presence)
	if f.required {
		flags += "r"
	}
	if f.wrapped {
		flags += "i"
	}
	line := fmt.Sprintf("%s %s %s %s", f.json, f.shape, number, flags)
	for _, extra := range [][2]string{{"T", f.topology}, {"P", f.patch}, {"G", f.namedType()}, {"D", f.defaultText()}} {
		if extra[1] != "" {
			line += " " + extra[0] + extra[1]
		}
	}
	return line
}

// plainTypes are the Go types of shapes whose types have no name of their own.
var plainTypes = strings.NewReplacer("[", "[]", "{", "map[string]", "s", "string", "b", "bool", "i", "int32",
	"l", "int64", "f", "float64", "y", "[]uint8")

// namedType is the Go type where it is not plain from the shape: errors of decoding print it, and OpenAPI refers
// to those that hold any JSON. Those of structs are known, and other leaves print errors of their own.
func (f *field) namedType() string {
	if strings.ContainsAny(f.shape, "@tudqn") || plainTypes.Replace(f.shape) == f.goType {
		return ""
	}
	return strings.ReplaceAll(f.goType, " ", "")
}

// defaultText is the default as one line of JSON.
func (f *field) defaultText() string {
	if f.byDefault == "" {
		return ""
	}
	var value any
	if err := json.Unmarshal([]byte(f.byDefault), &value); err != nil {
		fail(fmt.Errorf("default of %s: %w", f.json, err))
	}
	text, err := json.Marshal(value)
	if err != nil {
		fail(err)
	}
	return string(text)
}

func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`).Replace(text)
}
