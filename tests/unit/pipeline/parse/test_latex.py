"""LaTeX made readable for the engine, and what must stay as it is."""

import time

import pytest

from ingest_grpc.pipeline.parse.latex import prepared


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("50\\% better % a comment\n  and more", "50\\% better and more"),
        ("end % comment\n\nNew paragraph", "end \n\nNew paragraph"),
        ("line break \\\\% comment\nnext", "line break \\\\next"),
        ('Na\\"ive caf\\\'e \\~{n} \\c{c} \\v{s} \\"{\\i}', "Naïve café ñ ç š ï"),
        ('\\"{o} \\ss{} stra\\ss e \\O re \\aa', "ö ß straße Øre å"),
        ("Fig.~\\ref{fig:a} and \\eqref{eq:b}\\label{x}", "Fig. fig:a and eq:b"),
        ("seen~\\cite{smith2020} and \\citep[see][p.~3]{a,b}", "seen [smith2020] and [a,b]"),
        ("\\hypertarget{end}{%\n\\section{The \\emph{End}}\\label{end}}\nDone", "\\section{The \\emph{End}}\nDone"),
        ("\\newcommand{\\foo}{\\textbf{Foo}}\\foo{} and \\foobar", "\\textbf{Foo} and \\foobar"),
        ("\\newcommand{\\two}[1]{#1#1}\\two{x}", "\\newcommand{\\two}[1]{#1#1}\\two{x}"),
        ("\\title{A \\emph{Title} \\\\ of two lines}", "\\title{A Title of two lines}"),
        ("\\author{Ann \\and Bob}", "\\author{Ann, Bob}"),
    ],
)
def test_prepared__what_a_reader_would_see(given: str, wanted: str) -> None:
    assert prepared(given) == wanted


@pytest.mark.parametrize(
    "verbatim",
    [
        "\\begin{verbatim}\nx % 1~2 \\ref{a}\n\\end{verbatim}",
        "\\begin{lstlisting}\n% c\n\\end{lstlisting}",
        "\\verb|a~b%c|",
    ],
)
def test_prepared__verbatim_stays(verbatim: str) -> None:
    assert prepared(f"a~b {verbatim} c~d") == f"a b {verbatim} c d"


@pytest.mark.parametrize(
    "hostile",
    [
        "\\begin{verbatim}" * 50_000,
        "\\verb|" * 50_000,
        "\\cite[" * 50_000,
        "\\ref{" * 50_000,
        "\\title{" * 50_000,
        "\\hypertarget{a}{\\section{" * 20_000,
        "\\newcommand{\\" * 20_000,
        "\\newcommand{\\a}{" + "b" * 400 + "}" + "\\a" * 200_000,
        "\\newcommand{\\a}{\\b\\b}\\newcommand{\\b}{\\a\\a}" + "\\a" * 1_000,
    ],
    ids=lambda text: str(text)[:20],
)
def test_prepared__takes_time_and_space_in_proportion(hostile: str) -> None:
    """CPU time of this process, with room for a slow machine: the quadratic way takes minutes."""
    before = time.process_time()
    assert len(prepared(hostile)) <= 4 * len(hostile)
    assert time.process_time() - before < 20
