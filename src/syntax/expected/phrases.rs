//! The grammar's rules in a person's words.

use crate::syntax::grammar::Rule;

/// `a, b or c`
pub(super) fn list_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// The keyword that a rule stands for.
pub(super) fn keyword(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::kw_admm => "admm",
        Rule::kw_use => "use",
        Rule::kw_param => "param",
        Rule::kw_data => "data",
        Rule::kw_let => "let",
        Rule::kw_var => "var",
        Rule::kw_net => "net",
        Rule::kw_sample => "sample",
        Rule::kw_minimize => "minimize",
        Rule::kw_maximize => "maximize",
        Rule::kw_subject => "subject",
        Rule::kw_split => "split",
        Rule::kw_shows => "shows",
        Rule::kw_claim => "claim",
        Rule::kw_player => "player",
        Rule::kw_solve => "solve",
        Rule::kw_in => "in",
        Rule::kw_to => "to",
        Rule::kw_as => "as",
        Rule::kw_real => "real",
        Rule::kw_symmetric => "symmetric",
        Rule::kw_params => "params",
        Rule::kw_init => "init",
        Rule::kw_image => "image",
        Rule::kw_residual => "residual",
        Rule::kw_batch => "batch",
        Rule::kw_keep => "keep",
        Rule::kw_fixed => "fixed",
        Rule::kw_repeat => "repeat",
        Rule::kw_epochs => "epochs",
        Rule::kw_times => "times",
        Rule::kw_of => "of",
        Rule::kw_each => "each",
        Rule::kw_every => "every",
        Rule::kw_at => "at",
        Rule::kw_restart => "restart",
        Rule::kw_track => "track",
        Rule::kw_save => "save",
        Rule::kw_images => "images",
        _ => return None,
    })
}

/// A rule in a person's words; nothing where it would only lengthen the list.
pub(super) fn phrase(rule: Rule) -> Option<String> {
    if let Some(keyword) = keyword(rule) {
        return Some(format!("`{keyword}`"));
    }
    let words = match rule {
        Rule::name => "a name",
        Rule::number => "a number",
        Rule::integer => "a whole number",
        Rule::string => "a text in double quotes",
        Rule::equals => "`=`",
        Rule::colon => "`:`",
        Rule::comma => "`,`",
        Rule::semicolon => "`;`",
        Rule::tilde => "`~`",
        Rule::arrow => "`->` and a layer",
        Rule::bar => "`|`",
        Rule::open_round => "`(`",
        Rule::close_round => "`)`",
        Rule::open_square => "`[`",
        Rule::close_square => "`]`",
        Rule::kind => "a kind (`real`, `symmetric` or `params`)",
        Rule::layer => "a layer, as `dense 64 relu`",
        Rule::names => "a name or names in parentheses",
        Rule::family => "an index, as `[i in 1 to 8]`",
        Rule::binder => "an index, as `i in 1 to 8`",
        Rule::constraint | Rule::constraints | Rule::relation => "a constraint",
        Rule::setting => "a setting, as `rho = auto`",
        Rule::step | Rule::opening | Rule::method => "a step of the game",
        Rule::unit => "`epochs`, `iterations` or `batches`",
        Rule::call => "a call, as `grid(8, 8)`",
        Rule::labelled => "a term",
        Rule::comparison
        | Rule::sum
        | Rule::product
        | Rule::unary
        | Rule::power
        | Rule::postfix
        | Rule::minus
        | Rule::arg
        | Rule::list
        | Rule::index_item
        | Rule::over
        | Rule::paren
        | Rule::matrix => "a value",
        _ => return None,
    };
    Some(words.to_string())
}
