"""What a person sees: the gallery as a tab of a WebUI and as a page of our own.

The top of the library: it may stand on everything but the command line.

components         the components of the gallery, and what happens when they are used
events             what the events do, without components
markup             the HTML that is shown
settings_panel     settings and API key
app                the standalone app
webui              the tab and the settings page of a WebUI
webui_incomplete   the tab that says which packages a WebUI lacks
"""
