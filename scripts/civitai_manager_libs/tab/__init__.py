"""What a person sees: the gallery as a tab of a WebUI and as a page of our own.

May stand on everything but the command line. From the top down:

app                the standalone app
webui              the tab and the settings page of a WebUI
webui_incomplete   the tab that says which packages a WebUI lacks
settings_panel     settings and API key
cache_panel        the size of the picture cache, and a button that empties it
components         the components of the gallery, and what happens when they are used
markup             the HTML that is shown
events             what the events do, without components
generation         how the chosen picture was made
temporary          the folder that gradio serves pictures from
"""
