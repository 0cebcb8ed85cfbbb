//! The syntax as a whole: what must hold of parser and printer together.

mod random;

use super::*;
use proptest::prelude::*;
use random::Choices;

/// The tree of a text, which must be free of errors.
fn tree(text: &str) -> Ast {
    let mut diags = Diags::default();
    let ast = parse(FileId(0), text, &mut diags);
    let errors: Vec<_> = diags.iter().map(|diag| format!("{:?} {}", diag.span(), diag.message)).collect();
    assert!(diags.is_empty(), "{errors:#?}\n{text}");
    ast
}

/// The statements with their places left out.
fn shape(ast: &Ast) -> String {
    let text = format!("{:?} {:#?}", ast.version.map(|(version, _)| version), ast.items);
    let is_place = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.trim_end_matches(',').bytes().all(|b| b"0123456789:.".contains(&b))
    };
    let lines =
        text.lines().map(|line| match line.trim().trim_start_matches("span: ").trim_start_matches("op_span: ") {
            place if place.contains("..") && is_place(place) => "place\n".to_string(),
            _ => format!("{line}\n"),
        });
    lines.collect()
}

/// Printing gives the same tree and the same comments back, and changes nothing the second time.
fn check_round_trip(text: &str) -> String {
    let ast = tree(text);
    let printed = print(&ast, text);
    let again = tree(&printed);
    assert_eq!(shape(&ast), shape(&again), "{text}\n=====>\n{printed}");
    let comments = |ast: &Ast| {
        let mut texts: Vec<_> = ast.comments.iter().map(|comment| comment.text.clone()).collect();
        texts.sort();
        texts
    };
    assert_eq!(comments(&ast), comments(&again), "{text}\n=====>\n{printed}");
    assert_eq!(print(&again, &printed), printed, "from\n{text}");
    printed
}

#[test]
fn the_corpus_comes_back_from_the_printer() {
    for text in corpus() {
        check_round_trip(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    #[test]
    fn printing_then_parsing_is_the_identity(tape in prop::collection::vec(any::<u32>(), 0..300)) {
        let ast = Choices::ast(&tape);
        let printed = print(&ast, "");
        prop_assert_eq!(shape(&ast), shape(&tree(&printed)), "{}", printed);
        check_round_trip(&printed);
    }

    /// Line breaks and comments inside brackets move, but neither gets lost nor changes the tree.
    #[test]
    fn comments_survive(tape in prop::collection::vec(any::<u32>(), 0..200), places in prop::collection::vec(any::<u32>(), 1..9)) {
        let mut text = print(&Choices::ast(&tape), "");
        for (index, place) in places.iter().enumerate() {
            let gaps: Vec<_> = text.match_indices(['\n', '(', '[', ',', '{']).map(|(at, mark)| at + mark.len()).collect();
            if let Some(&at) = gaps.get(*place as usize % gaps.len().max(1)) {
                let comment = format!("# comment {index}\n{}", if place % 3 == 0 { "\n" } else { "" });
                let mut longer = text.clone();
                longer.insert_str(at, &format!(" {comment}"));
                // A place inside a text or a comment is none.
                let mut diags = Diags::default();
                let with = parse(FileId(0), &longer, &mut diags);
                if diags.is_empty() && with.comments.len() == tree(&text).comments.len() + 1 {
                    text = longer;
                }
            }
        }
        check_round_trip(&text);
    }

    /// Any text at all gives diagnostics that lie inside it, and no panic.
    #[test]
    fn junk_is_refused_in_words(tape in prop::collection::vec(any::<u32>(), 0..80), junk in "[a-z0-9 (){}\\[\\]+*/^.,:;|~'\"<>=\n#θ≤−-]{0,40}", place in any::<u32>()) {
        let mut text = print(&Choices::ast(&tape), "");
        let places: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        text.insert_str(places[place as usize % places.len()], &junk);
        let mut diags = Diags::default();
        let ast = parse(FileId(0), &text, &mut diags);
        for diag in diags.iter() {
            for label in &diag.labels {
                prop_assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{diag:?}");
            }
        }
        if diags.is_empty() {
            check_round_trip(&text);
            prop_assert!(!ast.items.is_empty() || ast.version.is_some());
        }
    }
}

/// The whole layout, pinned.
#[test]
fn the_layout_is_this() {
    let messy = "param   lambda=.1e1 # strength\n".replace(".1e1", "1e-1")
        + "\n\n\nvar x,z:real[ n ]\nminimize fit:sum_squares( A*x-b )/2 # data\n   +reg: lambda * norm1(z)\n"
        + "subject to link:x-z=0,x≥0\n# why\nsolve admm{rho=auto,tol=1e-6}\n"
        + "net D(θ): 64\n -> dense 8 relu init he -> dense 1\n"
        + "solve play as game{ repeat 3 epochs of digit{ # one\n each batch{adam d{rate=1e-3},admm g{\n rho=1}}\n every epoch track l=-x^2.*y } }";
    expect_test::expect![[r#"
        param lambda = 1e-1  # strength

        var x, z: real[n]
        minimize fit: sum_squares(A*x - b)/2  # data
            + reg: lambda*norm1(z)
        subject to
            link: x - z = 0
            x >= 0
        # why
        solve admm { rho = auto, tol = 1e-6 }
        net D(θ): 64
            -> dense 8 init he relu
            -> dense 1
        solve play as game {
            repeat 3 epochs of digit {  # one
                each batch {
                    adam d { rate = 1e-3 }
                    admm g {
                        rho = 1
                    }
                }
                every epoch track l = -x^2 .* y
            }
        }
    "#]]
    .assert_eq(&check_round_trip(&messy));
}

/// Operators bind as the reference says.
#[test]
fn precedence_is_the_mathematicians() {
    let spelled = |text: &str| {
        let ast = tree(&format!("let v = {text}"));
        let ast::ItemKind::Let { value, .. } = &ast.items[0].kind else { unreachable!("a let") };
        bracketed(value)
    };
    for (text, meant) in [
        ("-x^2", "(-(x^2))"),
        ("2^-x^y", "(2^(-(x^y)))"),
        ("a^b^c", "(a^(b^c))"),
        ("x'*y", "((x')*y)"),
        ("x^2'", "(x^(2'))"),
        ("-a*b", "((-a)*b)"),
        ("a - b - c", "((a - b) - c)"),
        ("a/b*c", "((a/b)*c)"),
        ("a .* b + c ./ d", "((a .* b) + (c ./ d))"),
        ("a - -b", "(a - (-b))"),
        ("θ.w[1]'", "(((θ.w)[1])')"),
        ("x − y", "(x - y)"),
    ] {
        assert_eq!(spelled(text), meant, "{text}");
    }
}

/// An expression with all its parentheses.
fn bracketed(e: &ast::Expr) -> String {
    use ast::ExprKind::*;
    match &e.kind {
        Number(_, text) => text.clone(),
        Name(name) => name.text.clone(),
        Neg(inner) => format!("(-{})", bracketed(inner)),
        Transpose(inner) => format!("({}')", bracketed(inner)),
        Field { base, name } => format!("({}.{})", bracketed(base), name.text),
        Index { base, .. } => format!("({}[1])", bracketed(base)),
        Binary { op, left, right, .. } => format!("({}{}{})", bracketed(left), print::operator(*op), bracketed(right)),
        other => unreachable!("no {other:?} in this table"),
    }
}

/// Words with a meaning at their place only are names everywhere else.
#[test]
fn contextual_words_are_names() {
    for word in keywords::CONTEXTUAL.iter().chain(keywords::LAYER_OPTIONS).chain(keywords::ACTIVATIONS) {
        tree(&format!("var {word}, {word}_2: real[3]\nminimize {word}: sum({word})\nsubject to {word} = 0\n"));
    }
    for (word, _) in keywords::STEPS {
        tree(&format!("var {word}: real\nminimize {word}^2\nsubject to {word} >= 0\nsolve admm {{ {word} = 1 }}\n"));
    }
    tree("let total = input + tonic + inner + data_1 + letter");
}

#[test]
fn names_are_compared_by_their_normal_form() {
    let ast = tree("var θ₁: real\nvar Ａ: real");
    let key = |index: usize| match &ast.items[index].kind {
        ast::ItemKind::Var { names, .. } => (names[0].text.clone(), names[0].key.clone()),
        _ => unreachable!("a var"),
    };
    assert_eq!(key(0), ("θ₁".to_string(), "θ1".to_string()));
    assert_eq!(key(1), ("Ａ".to_string(), "A".to_string()));
}

/// Files that are right: the corpus has every construct, the examples are what people start from.
fn corpus() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/cases/syntax/corpus", "examples", "examples/data"];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("the folder is there"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "admm"));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("readable")).collect()
}

/// What the reference shows parses, statement by statement.
#[test]
fn the_reference_is_right() {
    let reference = include_str!("../../grammar/README.md");
    let mut blocks = reference.split("```admm\n").skip(1).peekable();
    assert!(blocks.peek().is_some());
    for block in blocks {
        tree(block.split("```").next().expect("a block ends"));
    }
    let cell = |line: &'static str| line.strip_prefix("| `").and_then(|cell| cell.split("` |").next());
    for statement in reference.lines().filter_map(cell).filter(|cell| keywords::is_reserved(lines::word_at(cell, 0))) {
        tree(&statement.replace('…', "1"));
    }
}

/// A very deep file still has room on a small stack.
#[test]
fn nesting_up_to_the_limit_fits_a_small_stack() {
    let depth = lines::MAX_NESTING - 2;
    let parens = format!("let a = {}1{}", "(".repeat(depth), ")".repeat(depth));
    let calls = format!("let a = {}1{}", "f(-x^".repeat(depth), ")".repeat(depth));
    let powers = format!("let a = {}1", "x^-".repeat(lines::MAX_CHAIN / 2 - 1));
    let indices = format!("let a = {}1{}", "x[1*".repeat(depth), "]".repeat(depth));
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            for text in [parens, calls, powers, indices] {
                tree(&text);
            }
        })
        .expect("a thread")
        .join()
        .expect("no overflow");
}
