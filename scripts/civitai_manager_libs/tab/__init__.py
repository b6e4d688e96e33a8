"""What a person sees: the gallery as a tab of a WebUI and as a page of our own.

May stand on everything but the command line. From the top down:

app                the standalone app
webui              the tab and the settings page of a WebUI
webui_incomplete   the tab that says which packages a WebUI lacks
settings_panel     settings and API key
cache_panel        the size of the picture cache, and a button that empties it
components         the gallery: its components, and what happens when they are used
foot               pictures kept by the bar below the grid: begun, watched, stopped
models             models: those of a picture fetched, those here scanned and listed
jobs               whole galleries and models: begun, watched, steered
home               the page before a gallery
host_cards         galleries opened by the cards of a WebUI
routes             the routes that pictures of the grid come from
paging             turning the page
picture            a chosen picture: shown, and sent
job_panel          the panel of jobs, and the job begun in a tab, as they stand
needed             the models of the chosen picture: whether they are here, and got if not
opening            what was pasted, or the address of the app's page names, shown
layout             the components, and where they stand
layout_start       those for where one begins
layout_filters     those that say what is to be seen
layout_picture     those for the chosen picture
layout_foot        those of the bar below the grid
layout_jobs        those for whole galleries
layout_models      those for the models on this machine
start_markup       the HTML of where one begins, and of what was found
filters_markup     the HTML of the filters, and of what they hide
foot_markup        the HTML of the bar below the grid
begun_markup       the HTML of the job that was begun in a tab
jobs_markup        the HTML of the panel of jobs
model_cards        the jobs of model files in it
job_failures       the pictures that failed in jobs
job_parts          what the cards of all jobs are made of
models_markup      the HTML of models, a picture's and those here
picture_markup     the HTML of the chosen picture, and of how it was made
browser            what runs in the browser itself
grid_markup        the HTML of the grid
markup             the HTML that is shown
origin             sentences about the page on show
source_links       links that open galleries here, and lead to their pages
sending            what a WebUI is sent
downloading        what a person keeps of a gallery, step by step
favourites         the owner's favourites, as a gallery
finding            models that words find
events             what the events do, without components
thumbnails         the small pictures of a page
offline            a saved gallery, shown from the files
versions           the versions of the model on show
address            what that address says of what is on show
marking            favourites, and pictures not to be seen again
endless            a grid that grows
wishes             what a person fills in to have a whole gallery
view               what one browser tab looks at
filters            what a person wants to see of any gallery
waits              a listing that takes long
larger             the larger pictures of a grid, each brought when it is asked for
ahead              pages that were seen, and the one that comes next
keeping            pictures that are being kept, by a thread
loading            how far the small pictures of a grid are
generation         how the chosen picture was made
serving            answers with files of the picture cache
temporary          the folder that gradio serves pictures from
"""
