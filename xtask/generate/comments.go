package main

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// comment is what stands above a type, a field or a constant.
type comment struct {
	text string
	// open says that a blank line ends the text, before markers.
	open    bool
	markers map[string][]string
}

// source is what reflection cannot see of a package.
type source struct {
	types  map[string]comment
	fields map[string]map[string]comment
	enums  map[string][]constant
}

// constant is a value of an enumeration.
type constant struct{ name, value, text string }

func read(pkgPath string) *source {
	pkg, err := build.Import(pkgPath, ".", build.FindOnly)
	if err != nil {
		fail(err)
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseDir(files, pkg.Dir, nil, parser.ParseComments)
	if err != nil {
		fail(err)
	}
	found := &source{map[string]comment{}, map[string]map[string]comment{}, map[string][]constant{}}
	for name, one := range parsed {
		if strings.HasSuffix(name, "_test") {
			continue
		}
		for path, file := range one.Files {
			if !strings.HasSuffix(path, "_test.go") {
				found.add(file)
			}
		}
	}
	return found
}

func (s *source) add(file *ast.File) {
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				doc := spec.Doc
				if doc == nil && len(general.Specs) == 1 {
					doc = general.Doc
				}
				s.addType(spec, doc)
			case *ast.ValueSpec:
				if general.Tok == token.CONST {
					s.addConstant(spec, file)
				}
			}
		}
	}
}

func (s *source) addType(spec *ast.TypeSpec, doc *ast.CommentGroup) {
	s.types[spec.Name.Name] = parse(doc)
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	fields := map[string]comment{}
	for _, field := range structure.Fields.List {
		for _, name := range field.Names {
			fields[name.Name] = parse(field.Doc)
		}
		if len(field.Names) == 0 {
			fields[typeName(field.Type)] = parse(field.Doc)
		}
	}
	s.fields[spec.Name.Name] = fields
}

func (s *source) addConstant(spec *ast.ValueSpec, file *ast.File) {
	if len(spec.Values) != 1 {
		return
	}
	kind, ok := spec.Type.(*ast.Ident)
	given := spec.Values[0]
	if call, converts := given.(*ast.CallExpr); converts && len(call.Args) == 1 {
		kind, ok = call.Fun.(*ast.Ident)
		given = call.Args[0]
	}
	if !ok {
		return
	}
	value, known := valueOf(given, file)
	if !known {
		return
	}
	text := ""
	if spec.Doc != nil {
		text = spec.Doc.Text()
	}
	name := spec.Names[0].Name
	s.enums[kind.Name] = append(s.enums[kind.Name], constant{name, value, text})
}

// valueOf is the text of a literal, or of a constant of an imported package.
func valueOf(given ast.Expr, file *ast.File) (string, bool) {
	switch given := given.(type) {
	case *ast.BasicLit:
		if given.Kind != token.STRING {
			return "", false
		}
		value, err := strconv.Unquote(given.Value)
		if err != nil {
			fail(err)
		}
		return value, true
	case *ast.SelectorExpr:
		from, ok := given.X.(*ast.Ident)
		if !ok {
			return "", false
		}
		for _, one := range file.Imports {
			path, _ := strconv.Unquote(one.Path.Value)
			if one.Name != nil && one.Name.Name == from.Name {
				return constantOf(read(path), given.Sel.Name)
			}
		}
	}
	return "", false
}

func constantOf(from *source, name string) (string, bool) {
	for _, constants := range from.enums {
		for _, one := range constants {
			if one.name == name {
				return one.value, true
			}
		}
	}
	return "", false
}

// enum are the values of a type that is marked so, sorted, and the words that OpenAPI adds for them.
func (s *source) enum(name string) (values []string, words string) {
	if _, marked := s.types[name].markers["enum"]; !marked {
		return nil, ""
	}
	var lines []string
	for _, one := range s.enums[name] {
		values = append(values, one.value)
		text := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(one.text), one.name))
		text = spaces.ReplaceAllString(text, " ")
		lines = append(lines, strings.TrimSpace(" - `"+strconv.Quote(one.value)+"` "+text))
	}
	slices.Sort(values)
	slices.Sort(lines)
	return slices.Compact(values), "Possible enum values:\n " + strings.Join(lines, "\n ")
}

var spaces = regexp.MustCompile(`\s+`)

func typeName(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return typeName(of.X)
	case *ast.SelectorExpr:
		return of.Sel.Name
	case *ast.Ident:
		return of.Name
	}
	return ""
}

// parse splits a comment into its markers (`+listType=map`) and the text that OpenAPI shows.
func parse(doc *ast.CommentGroup) comment {
	result := comment{markers: map[string][]string{}}
	if doc == nil {
		return result
	}
	var text strings.Builder
	lines := strings.Split(strings.TrimRight(doc.Text(), "\n"), "\n")
	ended := false
	for _, line := range lines {
		line = strings.TrimRight(line, " ")
		trimmed := strings.TrimLeft(line, " ")
		if marker, ok := strings.CutPrefix(trimmed, "+"); ok {
			name, value, _ := strings.Cut(marker, "=")
			result.markers[name] = append(result.markers[name], value)
			continue
		}
		ended = ended || line == "---"
		if !ended && !strings.HasPrefix(trimmed, "TODO") {
			appendLine(&text, line)
		}
	}
	result.text = strings.Trim(strings.TrimRight(text.String(), "\n"), " ")
	result.open = strings.HasSuffix(text.String(), "\n\n")
	return result
}

// appendLine joins the lines of a paragraph by blanks and keeps those that are indented.
func appendLine(text *strings.Builder, line string) {
	indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
	if (line == "" || indented) && text.Len() > 0 {
		shorter := text.String()[:text.Len()-1]
		text.Reset()
		text.WriteString(shorter)
	}
	switch {
	case line == "":
		text.WriteString("\n\n")
	case indented:
		text.WriteString("\n" + line + "\n")
	default:
		text.WriteString(line + " ")
	}
}
