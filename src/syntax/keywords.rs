//! The words of the language, in one table: the parser's messages, the printer's tests and the
//! editor's grammar all read it.

/// A statement's first word, the shape in which it is written, and spellings of it that other
/// languages taught people.
pub struct Statement {
    /// `param`
    pub word: &'static str,
    /// An example for an error's help.
    pub form: &'static str,
    /// `parameter`, …
    pub aliases: &'static [&'static str],
}

macro_rules! statements {
    ($($word:literal $form:literal [$($alias:literal)*];)*) => {
        /// The statements, in the order in which a file usually has them.
        pub const STATEMENTS: &[Statement] =
            &[$(Statement { word: $word, form: $form, aliases: &[$($alias),*] },)*];
    };
}

statements! {
    "use" r#"use "networks.admm""# ["import" "include" "using" "require" "from"];
    "param" "param lambda = 0.1" ["parameter" "parameters" "const" "constant" "hyper"];
    "data" r#"data A = csv("A.csv")"# ["read" "load" "input"];
    "let" "let n = ncols(A)" ["def" "define" "set" "expr" "expression"];
    "var" "var x, z: real[n]" ["variable" "variables" "unknown"];
    "net" "net D(θ): 64 -> dense 128 relu -> dense 1" ["network" "model" "nn"];
    "sample" "sample digit ~ draw(train) batch 64" ["batches" "loader"];
    "minimize" "minimize fit: sum_squares(A*x - b)/2 + reg: lambda*norm1(z)" ["minimise" "min" "argmin" "minimum"];
    "maximize" "maximize mean(log(sigmoid(D(digit; θ))))" ["maximise" "max" "argmax" "maximum"];
    "subject" "subject to link: x - z = 0" ["subject_to" "subj" "st" "constraint" "constraints" "where" "such" "with"];
    "split" "split x | z" [];
    "shows" "shows θ = average(θ1, θ2)" ["show" "exposes" "exports"];
    "claim" "claim z = (rho*x - λ)/(1 + rho)" ["assert"];
    "player" "player generator { … }" ["agent"];
    "solve" "solve admm { rho = auto, tol = 1e-6 }" ["run" "optimize" "optimise" "solver"];
}

/// The statements that live inside `solve … as game { … }`, each with its form.
pub const STEPS: &[(&str, &str)] = &[
    ("repeat", "repeat 250 epochs of digit { … }"),
    ("each", "each batch { … }"),
    ("every", "every 10 epochs restart discriminator"),
    ("at", r#"at epochs 50, 150 save images G(probe; φ) as grid(8, 8) "samples""#),
    ("restart", "restart discriminator"),
    ("track", "track loss = mean(log(D(digit; θ)))"),
    ("save", r#"save images G(probe; φ) as grid(8, 8) "samples""#),
];

/// Words with a meaning at their place only; each may also be somebody's name.
pub const CONTEXTUAL: &[&str] = &[
    "admm",
    "as",
    "real",
    "symmetric",
    "params",
    "init",
    "image",
    "residual",
    "batch",
    "keep",
    "fixed",
    "epochs",
    "epoch",
    "iterations",
    "iteration",
    "batches",
    "times",
    "of",
    "images",
    "game",
];

/// The words that stand between an index and its range.
pub const BETWEEN: &[&str] = &["in", "to"];

/// Options of a network's layer.
pub const LAYER_OPTIONS: &[&str] = &["kernel", "stride", "padding", "dilation", "groups", "init", "bias"];

/// Activations that the grammar must know, so as not to read one as a layer's size.
pub const ACTIVATIONS: &[&str] = &[
    "relu",
    "leaky_relu",
    "sigmoid",
    "tanh",
    "softplus",
    "softmax",
    "log_softmax",
    "gelu",
    "silu",
    "elu",
    "selu",
    "sine",
    "identity",
];

/// The statement that `word` begins. `split` is also a function, and is left to the caller.
pub fn statement(word: &str) -> Option<&'static Statement> {
    STATEMENTS.iter().find(|statement| statement.word == word)
}

/// Whether only a statement can begin with `word`; `split` may also be a call.
pub fn begins_statement(word: &str) -> bool {
    word != "split" && statement(word).is_some()
}

/// Whether `word` can't be a name.
pub fn is_reserved(word: &str) -> bool {
    BETWEEN.contains(&word) || begins_statement(word)
}

/// Every word that the language gives a meaning, sorted, each once.
pub fn all() -> Vec<&'static str> {
    let mut words: Vec<_> = STATEMENTS
        .iter()
        .map(|statement| statement.word)
        .chain(STEPS.iter().map(|&(word, _)| word))
        .chain(CONTEXTUAL.iter().chain(BETWEEN).chain(LAYER_OPTIONS).chain(ACTIVATIONS).copied())
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAMMAR: &str = include_str!("../../grammar/admm.pest");

    /// The words that a rule of the grammar lists, from its `=` to the next blank line.
    fn words_of(rule: &str) -> Vec<&'static str> {
        let start = GRAMMAR.find(rule).expect("the rule is in the grammar");
        let body = &GRAMMAR[start..start + GRAMMAR[start..].find("}\n").expect("a rule has an end")];
        body.split('"').skip(1).step_by(2).collect()
    }

    fn sorted(mut words: Vec<&str>) -> Vec<&str> {
        words.sort_unstable();
        words
    }

    #[test]
    fn the_grammar_reserves_the_same_words() {
        let reserved: Vec<_> = all().into_iter().filter(|word| is_reserved(word)).collect();
        assert_eq!(sorted(words_of("reserved   =")), reserved);
    }

    #[test]
    fn the_grammar_knows_the_same_layer_words() {
        assert_eq!(sorted(words_of("option_word =")), sorted(LAYER_OPTIONS.to_vec()));
        assert_eq!(sorted(words_of("activation_word =")), sorted(ACTIVATIONS.to_vec()));
    }

    #[test]
    fn the_grammar_knows_the_same_steps() {
        let steps = STEPS.iter().map(|&(word, _)| word).collect();
        assert_eq!(sorted(words_of("step_word =")), sorted(steps));
    }

    #[test]
    fn the_editors_grammar_knows_every_word() {
        let text = include_str!("../../grammar/admm.tmLanguage.json");
        let grammar: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
        let patterns = grammar["repository"]["keyword"]["patterns"].as_array().expect("a list of word groups");
        let words: Vec<&str> = patterns
            .iter()
            .filter_map(|pattern| pattern["match"].as_str())
            .flat_map(|words| words.trim_start_matches("\\b(").trim_end_matches(")\\b").split('|'))
            .collect();
        for word in all() {
            assert!(words.contains(&word), "`{word}` is missing");
        }
    }

    #[test]
    fn the_reference_lists_the_reserved_words() {
        let reference = include_str!("../../grammar/README.md");
        let line = reference.lines().find(|line| line.starts_with("    use param")).expect("the list is there");
        let reserved: Vec<_> = all().into_iter().filter(|word| is_reserved(word)).collect();
        assert_eq!(sorted(line.split_whitespace().collect()), reserved);
    }

    #[test]
    fn every_keyword_of_the_grammar_is_in_the_table() {
        for line in GRAMMAR.lines().filter(|line| line.starts_with("kw_")) {
            for word in line.split('"').skip(1).step_by(2) {
                assert!(all().contains(&word) || word == "time", "{word} is missing");
            }
        }
    }
}
